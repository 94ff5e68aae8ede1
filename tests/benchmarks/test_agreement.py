"""The check of both sides' answers before they are timed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.agreement import agreed, working
from benchmarks.asgi import ASGIApp, ClientRequest, WrongAnswer
from benchmarks.cases import Case, Step
from benchmarks.cases.every import CASES, NAMES, STEPS
from benchmarks.sides import STOCK, TURBOSTAR, Side


@pytest.mark.parametrize("case", [*CASES, *STEPS], ids=str)
def test_both_sides_answer_every_case_alike(case: Case | Step) -> None:
    """Each benchmark case runs, and turbostar answers it as Starlette does."""
    with asyncio.Runner() as runner:
        for work in agreed(case, runner):
            if work is not None:
                work(2)


def test_no_two_cases_have_one_name() -> None:
    """A figure, or a comment that names its case, is of one case."""
    assert len(NAMES) == len(CASES) + len(STEPS)


def test_a_step_that_gives_something_else_is_not_timed() -> None:
    """What is done in one step is compared as answers are."""
    step = Step(name="different", build=lambda web: (lambda times: None, web.name), target=1)
    with asyncio.Runner() as runner, pytest.raises(WrongAnswer, match="turbostar"):
        agreed(step, runner)


def _speaking_up(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.PlainTextResponse(web.name)

    return web.application(routes=[web.Route("/", endpoint)])


_DIFFERENT = Case(name="different", build=_speaking_up, request=ClientRequest(), target=1)


def test_different_answers_are_not_timed() -> None:
    """Where the sides answer differently there is nothing to compare."""
    with asyncio.Runner() as runner:
        with pytest.raises(WrongAnswer, match="turbostar"):
            agreed(_DIFFERENT, runner)
        working(_DIFFERENT, STOCK, runner)(1)


def test_an_answer_of_the_wrong_status_is_not_timed() -> None:
    """Two equal errors are no right answers."""
    case = replace(_DIFFERENT, request=ClientRequest(path="/missing"))
    with asyncio.Runner() as runner, pytest.raises(WrongAnswer, match="not an answer of 200"):
        working(case, TURBOSTAR, runner)
