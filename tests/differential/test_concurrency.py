"""Requests that race, interleave or are given up on: as by stock."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from tests.asgi import Ask
from tests.brief import Brief
from tests.differential.changes import ATTRIBUTES, LISTS, OTHERS, OVERRIDES, any_change
from tests.differential.drive import Client, connect, drive
from tests.differential.loops import run
from tests.differential.modes import STOCK, Mode
from tests.differential.observed import Outcome, compare
from tests.differential.requests import ask
from tests.differential.scene import Scene, building, check
from tests.differential.tables import (
    AppOf,
    Choices,
    H,
    M,
    R,
    RouterOf,
    W,
    application,
    examples,
    walk,
)
from tests.differential.world import World

TABLE = (
    R("/a"),
    R("/{a:int}/x", "plain"),
    M("/m/{b}", None, (R("/x"), M("/n", RouterOf((R("/{c:path}"),))))),
    H("b.example", AppOf(RouterOf((R("/h"),)))),
    R("/a", methods=("POST",)),
    W("/w", "ws_close"),
)
ASKS = (
    Ask("/a"),
    Ask("/7/x"),
    Ask("/m/y/n/z/z"),
    Ask("/h", host="b.example"),
    Ask("/none"),
    Ask("/a/", method="POST"),
    Ask("/w", type="websocket"),
)


async def answers(world: World) -> list[Any]:
    """What each request is answered, without what must not be observed from two threads."""
    found = []
    for request in ASKS:
        client, scope = connect(world, request), request.scope()
        await world.top(scope, client.receive, client.send)
        found.append((client.sent, {key: world.labels.of(value) for key, value in scope.items()}))
    return found


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize(
    "described", [AppOf(RouterOf(TABLE)), RouterOf(TABLE)], ids=["app", "bare"]
)
def test_threads_may_race_for_the_first_request(mode: Mode, described: Any) -> None:
    """Whatever is compiled late is compiled once, or harmlessly twice."""
    with building(STOCK, described) as (world, _):
        expected = run(lambda: answers(world), None)
    for _ in range(30):
        with building(mode, described) as (world, _):
            found: list[Any] = []
            barrier = threading.Barrier(3)

            def race(world: World = world, found: list[Any] = found, start: Any = barrier) -> None:
                start.wait()
                found.append(run(lambda: answers(world), None))

            threads = [threading.Thread(target=race) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert found == [expected] * 3


def interleave(mode: Mode, described: Any, asks: Any, schedule: Any, changes: Any) -> list[Outcome]:
    """Start all requests, and let them and the changes go on in the order of the schedule."""
    with building(mode, described) as (world, outcome):
        outcomes = [outcome]
        if world.top is None:
            return outcomes
        running = [drive(world, request, alone=False) for request in asks]
        finished: dict[int, Outcome] = {}
        pending = list(changes)

        def go_on(number: int) -> None:
            try:
                running[number].send(None)
            except StopIteration as stop:
                finished[number] = stop.value

        for number in schedule:
            if number == len(running) and pending:
                outcomes.append({"change": world.labels.of(pending.pop(0).apply(world))})
            elif number < len(running) and number not in finished:
                go_on(number)
        for number in range(len(running)):
            while number not in finished:
                go_on(number)
        return outcomes + [finished[number] for number in range(len(running))]


HELD = ("hold", "hold", "hold_body", "async")


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[Any, ...]:
    choose = Choices(draw)
    table = (
        R("/a", choose.of(HELD), methods=choose.of((None, ("POST",)))),
        R("/{a}", choose.of(HELD)),
        M("/a", None, (R("/{b:int}", choose.of(HELD)), R("/{a}", choose.of(HELD)))),
        M("/{a}", application(choose, 0)) if choose.seldom(3) else R("/b/{b}", "hold"),
    )
    described = AppOf(RouterOf(table))
    templates = [template for template, _, _ in walk(described)]
    asks = [ask(choose, templates) for _ in range(choose.number(2, 4))]
    group = LISTS + ATTRIBUTES + OVERRIDES + OTHERS
    changes = [any_change(choose, group) for _ in range(choose.number(0, 3))]
    schedule = [choose.number(0, len(asks)) for _ in range(choose.number(0, 12))]
    return described, asks, schedule, changes


def check_interleaved(mode: Mode, case: tuple[Any, ...]) -> None:
    described, asks, schedule, changes = case
    stock = interleave(STOCK, described, asks, schedule, changes)
    ours = interleave(mode, described, asks, schedule, changes)
    compare(stock, ours, [None] * (len(stock) - len(asks)) + list(asks))


@given(case=interleaved())
@examples(1 / 2)
def test_interleaved_requests_and_changes(mode: Mode, case: tuple[Any, ...]) -> None:
    """Requests suspended in their endpoints, and changes meanwhile, do not mix."""
    check_interleaved(mode, case)


@dataclass(frozen=True, repr=False)
class Abandoned(Brief):
    """A request that is given up on from outside, after some turns of the event loop."""

    ask: Ask
    how: str
    turns: int = 1

    async def perform(self, world: World) -> Outcome:
        start = len(world.log)
        client = connect(world, self.ask)
        work = world.top(self.ask.scope(), client.receive, client.send)
        ended: Any = None
        try:
            if self.how == "move_on_after":
                with anyio.move_on_after(0.001) as scope:
                    await work
                ended = scope.cancelled_caught
            elif self.how == "timeout":
                async with asyncio.timeout(0.001):
                    await work
            else:
                task = asyncio.ensure_future(work)
                for _ in range(self.turns):
                    await asyncio.sleep(0)
                task.cancel("enough")
                await task
        except (asyncio.CancelledError, TimeoutError) as exc:
            ended = type(exc).__name__, str(exc)
        return {"ended": ended, "messages": client.sent, "log": world.log[start:]}


@pytest.mark.parametrize("middleware", [(), ("pure",), ("base",)], ids=repr)
@pytest.mark.parametrize("how", ["cancel", "timeout", "move_on_after"])
def test_an_abandoned_request_ends_as_by_stock(mode: Mode, how: str, middleware: Any) -> None:
    """Cancelled in the endpoint: same cleaning up, same exception, and the next one is served."""
    table = (R("/0", "forever"), R("/1", "fail_after"), R("/2", "move_on_after"), R("/a"))
    app = AppOf(
        RouterOf((*table, M("/m", None, table))), middleware=middleware, handlers=((500, "async"),)
    )
    steps = []
    for path in ("/0", "/m/0"):
        steps += [Abandoned(Ask(path), how, 5), Ask("/a"), Ask("/1"), Ask("/2"), Ask("/m/1")]
    check(mode, Scene(app, tuple(steps), backend="asyncio"))


class Watcher(Client):
    """A client that goes away once it has had some pieces of the body."""

    def __init__(self, request: Ask, world: World, pieces: int) -> None:
        super().__init__(request, world)
        self.pieces = pieces
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await super().send(message)
        if len(self.sent) > self.pieces:
            self.gone.set()


@dataclass(frozen=True, repr=False)
class Watched(Brief):
    """A streamed answer whose client goes away."""

    ask: Ask
    pieces: int

    async def perform(self, world: World) -> Outcome:
        start = len(world.log)
        client, scope = Watcher(self.ask, world, self.pieces), self.ask.scope()
        async with asyncio.timeout(5):
            await world.top(scope, client.receive, client.send)
        log = world.log[start:]
        # How many more pieces are on their way when it goes depends on who is woken first.
        ended = len(client.sent) < 1000
        return {
            "ended": ended,
            "log": [entry for entry in log if entry[0] not in ("chunk", "client")],
        }


@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize("middleware", [(), ("pure",)], ids=repr)
def test_a_stream_ends_with_its_client(mode: Mode, pieces: int, middleware: Any) -> None:
    """An endless stream is cancelled, its generator closed, and its background task run."""
    app = AppOf(RouterOf((R("/0", "stream_endless"),)), middleware=middleware)
    check(mode, Scene(app, (Watched(Ask("/0"), pieces),), backend="asyncio"))
