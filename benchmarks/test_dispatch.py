"""Dispatch: what happens around one endpoint, from the server's call to the last message."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.agreement import agreed
from benchmarks.asgi import ask, driven, settled
from benchmarks.cases import Case
from benchmarks.cases.dispatch import CASES, JSON, raw_json
from benchmarks.conftest import Compared, Paired


@pytest.mark.parametrize("case", CASES, ids=str)
def test_dispatch(case: Case, compared: Compared) -> None:
    """One request of one kind of endpoint."""
    compared(case)


def test_framework_tax(paired: Paired, runner: asyncio.Runner) -> None:
    """What is above the same answer written by hand, rather than above an empty application."""
    works = agreed(JSON, runner)
    answer = runner.run(ask(raw_json, JSON.request))
    # The last message of the right answer is checked by the works of both sides.
    assert settled(answer)[1] == b'{"hello":"world"}'
    paired(
        works.stock,
        works.turbostar,
        overhead=driven(raw_json, JSON.request, answer[-1]),
        at_most=0.15,
        name="framework tax, JSON less raw ASGI",
    )
