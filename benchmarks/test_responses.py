"""Responses: what it costs to make one."""

from __future__ import annotations

import pytest

from benchmarks.cases import Step
from benchmarks.cases.responses import STEPS
from benchmarks.conftest import Compared


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_responses(step: Step, compared: Compared) -> None:
    """One step of a request, alone."""
    compared(step)
