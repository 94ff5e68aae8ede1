"""One side of the soak: it runs wave after wave of requests on a loop of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import gc
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import itsdangerous
import psutil  # type: ignore[import-untyped]

from benchmarks.asgi import ASGIApp
from benchmarks.sides import Side
from tests.clock import SimulatedLoop
from tests.soak.application import SECRET, application
from tests.soak.census import Census, census
from tests.soak.flight import Flight, current_number
from tests.soak.outcome import LOST, Outcome, outcome_of
from tests.soak.plans import Plan

__all__ = ["SideRunner", "Wave"]

_PATIENCE = 300.0  # seconds of the simulated clock after the last request has been sent
_AFTERWARDS = 60.0  # and after the last has ended, for what should have ended with it


@dataclass(frozen=True, kw_only=True)
class Wave:
    """What one side made of a wave.

    Attributes:
        packed: the outcomes, pickled, so that they do not count as objects that are left over.
        faults: what went wrong without belonging to a request.
        growth: the objects that are left over.
        in_flight: the most requests that were under way at once.
        resident: bytes of memory of the process, before what the wave left was freed.
    """

    packed: bytes
    faults: tuple[str, ...]
    growth: Census
    in_flight: int
    resident: int

    def outcomes(self) -> list[Outcome]:
        """Of each request, in the order of the schedule."""
        found: list[Outcome] = pickle.loads(self.packed)
        return found


class SideRunner:
    """One side: its applications and its loop, which last for the whole soak."""

    def __init__(self, web: Side, seed: int, jitter: int = 0) -> None:
        self.name = f"{web} with other timing" if jitter else str(web)
        self._build = functools.partial(application, web, seed=seed, jitter=jitter)
        self._applications: dict[str, ASGIApp] = {}
        data = base64.b64encode(json.dumps({"user": "ada"}).encode())
        self._cookie = b"session=" + itsdangerous.TimestampSigner(SECRET).sign(data)
        self._runner = asyncio.Runner(loop_factory=SimulatedLoop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._runner.close()

    def run(self, plans: Sequence[Plan]) -> Wave:
        """Send all requests at their times, and wait until nothing happens any more.

        Raises:
            Spinning: something keeps the loop busy for ever.
        """
        with _overheard() as faults:
            before = census()
            packed, in_flight, resident = self._packed(plans, faults)
            gc.collect()
            # Generators that were only freed now are closed by the loop.
            self._runner.run(_afterwards(faults))
            growth = census() - before
        return Wave(
            packed=packed,
            faults=tuple(faults),
            growth=growth,
            in_flight=in_flight,
            resident=resident,
        )

    def _packed(self, plans: Sequence[Plan], faults: list[str]) -> tuple[bytes, int, int]:
        for name in {plan.stack for plan in plans} - self._applications.keys():
            self._applications[name] = self._build(name)
        flights = [Flight(plan, self._cookie) for plan in plans]
        found, in_flight = self._runner.run(_perform(flights, self._applications, faults))
        outcomes = [outcome_of(flight, found[flight.plan.number]) for flight in flights]
        return pickle.dumps(outcomes), in_flight, psutil.Process().memory_info().rss


async def _afterwards(faults: list[str]) -> None:
    """Let the loop do what is left to do."""
    asyncio.get_running_loop().set_exception_handler(_recording(faults))
    await asyncio.sleep(_AFTERWARDS)


async def _perform(
    flights: Sequence[Flight], apps: dict[str, ASGIApp], faults: list[str]
) -> tuple[dict[int, list[str]], int]:
    """Run the flights; return what must not have happened to each, and how many were under way."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    loop.watch_threads()
    loop.set_exception_handler(_recording(faults))
    ended: asyncio.Future[str] = loop.create_future()
    left, under_way, most = len(flights), 0, 0

    def one_ended(task: asyncio.Task[None]) -> None:
        nonlocal left, under_way
        left, under_way = left - 1, under_way - 1
        if not left:
            end("")

    def end(why: str) -> None:
        if not ended.done():
            ended.set_result(why)

    def start(flight: Flight) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        flight.start(apps[flight.plan.stack]).add_done_callback(one_ended)

    began = loop.time()
    for flight in flights:
        loop.call_at(began + flight.plan.start, start, flight)
    late = loop.call_at(began + flights[-1].plan.start + _PATIENCE, end, f"{_PATIENCE:.0f} s later")
    loop.when_stalled(lambda: end("when nothing was left that could wake it"))
    why = await ended
    late.cancel()
    loop.when_stalled(None)
    found: dict[int, list[str]] = {flight.plan.number: [] for flight in flights}
    for flight in flights:
        if not flight.is_over:
            found[flight.plan.number].append(f"{LOST}: still running {why}")
            flight.give_up()
    await asyncio.sleep(_AFTERWARDS)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        number = _request_of(task)
        told = f"a task is left over: {task.get_coro()!r}"
        found.get(number, faults).append(told)
        task.cancel()
    gc.collect()
    await asyncio.sleep(_AFTERWARDS)
    return found, most


def _request_of(task: asyncio.Task[Any]) -> int:
    """The request in whose context a task was started; -1 where Python does not tell."""
    if sys.version_info < (3, 12):
        return -1
    return task.get_context().get(current_number, -1)


def _recording(faults: list[str]) -> Callable[[Any, dict[str, Any]], None]:
    """An exception handler of a loop."""

    def record(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        told = f"{context.get('message')} {context.get('exception')!r}"
        faults.append(f"the loop's exception handler: {told}")

    return record


@contextlib.contextmanager
def _overheard() -> Iterator[list[str]]:
    """Collect what Python tells nobody in particular: unraisable exceptions, and warnings."""
    faults: list[str] = []

    def unraisable(told: Any) -> None:
        faults.append(f"unraisable: {told.exc_value!r} in {told.object!r}")

    hook = sys.unraisablehook
    sys.unraisablehook = unraisable
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield faults
            faults += [f"warning: {warning.message}" for warning in warned]
    finally:
        sys.unraisablehook = hook
