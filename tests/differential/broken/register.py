"""The defects, each by its name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from tests.differential.modes import STOCK, Mode

Patched = contextlib.AbstractContextManager[Any]
#: Of each defect, the subject that notices it and what plants it.
BROKEN: dict[str, tuple[str, Callable[[], Patched]]] = {}


def broken(noticed_by: str) -> Callable[[Callable[[], Patched]], Callable[[], Patched]]:
    """Enter a defect by its name."""

    def enter(patch: Callable[[], Patched]) -> Callable[[], Patched]:
        assert patch.__name__ not in BROKEN
        BROKEN[patch.__name__] = noticed_by, patch
        return patch

    return enter


def mode(name: str) -> Mode:
    """Stock Starlette with this defect."""
    return Mode(name, STOCK.namespace, BROKEN[name][1])
