"""JSON: encoding, a response's construction, and decoding a request's body."""

from __future__ import annotations

import pytest

from benchmarks.cases import Step
from benchmarks.cases.encoding import STEPS
from benchmarks.conftest import Compared


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_json(step: Step, compared: Compared) -> None:
    """One step of a request, alone."""
    compared(step)
