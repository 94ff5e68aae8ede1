"""Starlette with one defect each, by the subject of the tests that must notice it."""

from __future__ import annotations

# These enter their defects.
from tests.differential.broken import dispatch, kit, middleware, routing  # noqa: F401
from tests.differential.broken.register import BROKEN, mode

__all__ = ["BROKEN", "mode"]
