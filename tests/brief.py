"""Descriptions that stay readable where a test fails."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["Brief"]


class Brief:
    """A repr that leaves out what has its default value, so that failing examples stay readable."""

    def __repr__(self) -> str:
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)  # type: ignore[arg-type]
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # for hypothesis
        printer.text(repr(self))
