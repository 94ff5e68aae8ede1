"""Routing: finding the route of a path among many, and the path of a route among many."""

from __future__ import annotations

import pytest

from benchmarks.cases import Case, Step
from benchmarks.cases.routing import CASES, STEPS
from benchmarks.conftest import Compared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_routing(case: Case, compared: Compared) -> None:
    """One request of a route table."""
    compared(case)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_naming(step: Step, compared: Compared) -> None:
    """One step of a request, alone."""
    compared(step)
