"""Middleware: whole requests through stacks of it."""

from __future__ import annotations

import pytest

from benchmarks.cases import Case
from benchmarks.cases.middleware import CASES
from benchmarks.conftest import Compared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_middleware(case: Case, compared: Compared) -> None:
    """One request through a stack, endpoint included."""
    compared(case)
