"""Requests: what it costs to look at one."""

from __future__ import annotations

import pytest

from benchmarks.cases import Case, Step
from benchmarks.cases.requests import CASES, STEPS
from benchmarks.conftest import Compared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_requests(case: Case, compared: Compared) -> None:
    """One request to an endpoint that looks at it."""
    compared(case)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_reading(step: Step, compared: Compared) -> None:
    """One step of a request, alone."""
    compared(step)
