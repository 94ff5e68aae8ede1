"""All cases, in the order of the summary."""

from __future__ import annotations

from benchmarks.cases import (
    Case,
    Step,
    dispatch,
    encoding,
    middleware,
    requests,
    responses,
    routing,
)

__all__ = ["CASES", "NAMES", "STEPS"]

CASES: list[Case] = [*dispatch.CASES, *routing.CASES, *middleware.CASES, *requests.CASES]
STEPS: list[Step] = [*encoding.STEPS, *routing.STEPS, *requests.STEPS, *responses.STEPS]
NAMES: frozenset[str] = frozenset(str(case) for case in (*CASES, *STEPS))
