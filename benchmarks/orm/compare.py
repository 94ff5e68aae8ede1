"""All sides of one engine, case by case, in turns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.orm import places
from benchmarks.orm.cases import CASES, Case
from benchmarks.orm.sides import SIDES, side as side_named
from benchmarks.orm.sides.side import Side
from benchmarks.orm.timing import Batch, batch, fitting_number

Say = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds, seconds of a batch on the wall, and the names chosen."""

    rounds: int
    seconds: float
    cases: tuple[str, ...]
    sides: tuple[str, ...]


@contextlib.asynccontextmanager
async def started(engine: str, names: Iterable[str], say: Say) -> AsyncIterator[dict[str, Side]]:
    """The sides that know the engine and are installed, each on a database of its own."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, Side] = {}
        for name in names:
            kind = side_named(name)
            if engine not in kind.engines:
                continue
            place = await places.make(engine, name)
            stack.push_async_callback(places.remove, place)
            one = kind(place)
            try:
                await one.start()
            except ModuleNotFoundError as exc:
                if exc.name is not None and exc.name.partition(".")[0] == "turbostar":
                    raise
                say(f"{name} is left out: {exc}\n")
                continue
            stack.push_async_callback(one.stop)
            found[name] = one
        yield found


async def checked(case: Case, sides: dict[str, Side]) -> dict[str, Callable[[], Any]]:
    """What is timed for each side that has a way for the case, its answer found right."""
    calls: dict[str, Callable[[], Any]] = {}
    for name, one in sides.items():
        try:
            call = case.make(one)
            answer = await call() if case.waits else call()
        except NotImplementedError:
            continue
        await case.check(one, answer)
        calls[name] = call
    return calls


async def measure(case: Case, sides: dict[str, Side], plan: Plan) -> dict[str, list[Batch]]:
    """The batches of every side, one a round; another side is the first in each round."""
    calls = await checked(case, sides)
    numbers = {
        name: await fitting_number(call, case.waits, plan.seconds) for name, call in calls.items()
    }
    batches: dict[str, list[Batch]] = {name: [] for name in calls}
    order = list(calls)
    for _ in range(plan.rounds):
        for name in order:
            batches[name].append(await batch(calls[name], numbers[name], case.waits, case.per))
            if case.writes:
                await places.count_and_clear(sides[name].place)
        order = order[1:] + order[:1]
    for name, call in calls.items():  # right to the end
        if case.writes:
            await places.count_and_clear(sides[name].place)
        await case.check(sides[name], await call() if case.waits else call())
    return batches


async def compare(engine: str, plan: Plan, say: Say) -> dict[str, dict[str, list[Batch]]]:
    """Every case of the plan on one engine: its batches by side."""
    results: dict[str, dict[str, list[Batch]]] = {}
    async with started(engine, plan.sides, say) as sides:
        for name in plan.cases:
            case = CASES[name]
            if engine not in case.engines:
                continue
            start = time.monotonic()
            say(f"{engine}: {case.about} ... ")
            results[name] = await measure(case, sides, plan)
            say(f"{time.monotonic() - start:.0f} s\n")
    return results


def every_side() -> tuple[str, ...]:
    """The names of all sides, turbostar's first."""
    return tuple(SIDES)
