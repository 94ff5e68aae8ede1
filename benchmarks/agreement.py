"""A case made ready for timing: both sides built, and their answers checked equal first."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from benchmarks.asgi import (
    ASGIApp,
    Message,
    Work,
    WrongAnswer,
    ask,
    driven,
    driven_on_loop,
    empty_app,
    settled,
)
from benchmarks.cases import Case, Step
from benchmarks.sides import SIDES, Side

__all__ = ["Agreed", "agreed", "working"]

# The first request builds what is built late, the second runs on it, the third sees what the
# second left behind.
_TIMES = 3


class Agreed(NamedTuple):
    """What to time: the two sides, and the driver with nothing behind it."""

    stock: Work
    turbostar: Work
    overhead: Work | None


def agreed(case: Case | Step, runner: asyncio.Runner) -> Agreed:
    """Build `case` on both sides and check that they give the same, right answers.

    Raises:
        WrongAnswer: they do not.
    """
    return _step(case) if isinstance(case, Step) else _case(case, runner)


def _step(step: Step) -> Agreed:
    (stock, expected), (turbostar, found) = (step.build(side) for side in SIDES.values())
    if found != expected:
        raise WrongAnswer(f"{step.name}: turbostar gives {found!r}, not {expected!r}")
    return Agreed(stock, turbostar, step.overhead() if step.overhead else None)


def _case(case: Case, runner: asyncio.Runner) -> Agreed:
    answers: dict[str, list[list[Message]]] = {}
    works: list[Work] = []
    for side in SIDES.values():
        app = case.build(side)
        answers[side.name] = _answers(app, case, runner)
        works.append(_work(app, case, answers[side.name][-1][-1], runner))
    expected = settled(answers["stock"][0])
    for name, given in answers.items():
        for number, messages in enumerate(given, start=1):
            if settled(messages) != expected:
                raise WrongAnswer(
                    f"{case.name}: answer {number} of {name} is {settled(messages)!r}, "
                    f"not {expected!r}"
                )
    stock, turbostar = works
    return Agreed(stock, turbostar, _work(empty_app, case, None, runner))


def working(case: Case, side: Side, runner: asyncio.Runner) -> Work:
    """Build `case` on one side alone.

    Raises:
        WrongAnswer: the status is not the right one.
    """
    app = case.build(side)
    return _work(app, case, _answers(app, case, runner)[-1][-1], runner)


def _answers(app: ASGIApp, case: Case, runner: asyncio.Runner) -> list[list[Message]]:
    answers = [runner.run(ask(app, case.request)) for _ in range(_TIMES)]
    for messages in answers:
        if not messages or messages[0].get("status", 0) != case.status:
            raise WrongAnswer(f"{case.name}: {messages!r} is not an answer of {case.status}")
    return answers


def _work(app: ASGIApp, case: Case, last: Message | None, runner: asyncio.Runner) -> Work:
    if case.looped:
        return driven_on_loop(app, case.request, last, runner)
    return driven(app, case.request, last)
