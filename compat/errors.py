"""The one error that ends a run with a single line and exit status 2."""

from __future__ import annotations

__all__ = ["CompatError"]


class CompatError(Exception):
    """Told in one line: the thing, the cause and the repair."""
