"""The soak: stock agrees with itself, turbostar with stock, and what is wrong is found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import anyio.to_thread
import pytest
import starlette.applications

from benchmarks.asgi import Message, Receive, Scope, Send
from benchmarks.sides import STOCK, TURBOSTAR, Side
from tests.clock import SimulatedLoop, Spinning
from tests.soak import memory
from tests.soak.census import apart_from_what_is_there
from tests.soak.command import main
from tests.soak.outcome import Difference, compare
from tests.soak.plans import KINDS, Plan, schedule
from tests.soak.tally import Tally
from tests.soak.wave import SideRunner

_SEED = 20
_PLANTED = 30  # of the requests, the one that the defect is for

Call = Callable[[Scope, Receive, Send], Any]
Defect = Callable[[Call, Scope, Receive, Send], Any]


def _differences(other: Side, plans: Sequence[Plan], jitter: int = 0) -> list[Difference]:
    with (
        apart_from_what_is_there(),
        SideRunner(STOCK, _SEED) as stock,
        SideRunner(other, _SEED, jitter) as compared,
    ):
        waves = [side.run(plans) for side in (stock, compared)]
    assert [wave.faults for wave in waves] == [(), ()]
    return compare(*(wave.outcomes() for wave in waves))


def test_stock_agrees_with_itself_when_the_timing_is_another() -> None:
    """No request is planned so that its answer depends on how often the code suspends."""
    assert _differences(STOCK, schedule(_SEED, 0, 250, in_flight=50), jitter=3) == []


def test_turbostar_agrees_with_stock() -> None:
    """A few hundred requests of nearly all kinds."""
    plans = [plan for plan in schedule(_SEED, 1, 250, in_flight=50) if plan.kind != "polls"]
    assert len({plan.kind for plan in plans}) > len(KINDS) - 3
    assert _differences(TURBOSTAR, plans) == []


def test_who_asks_whether_the_client_has_gone_is_told_as_by_stock() -> None:
    """`is_disconnected`, which behind a BaseHTTPMiddleware has ways of its own."""
    plans = [plan for plan in schedule(_SEED, 2, 500, in_flight=50) if plan.kind == "polls"]
    assert any(plan.gone_at for plan in plans)
    assert _differences(TURBOSTAR, plans) == []


async def drops_a_byte(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    async def short(message: Message) -> None:
        await send({**message, "body": message["body"][:-1]} if message.get("body") else message)

    await call(scope, receive, short)


async def runs_twice(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    async def nowhere(message: Message) -> None:
        await asyncio.sleep(0)

    await call({**scope}, receive, nowhere)
    await call(scope, receive, send)


async def never_answers(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.get_running_loop().create_future()


async def swaps_the_answers(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await call({**scope, "query_string": b"id=4711"}, receive, send)


async def raises_instead(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await call(scope, receive, send)
    raise RuntimeError("after all")


@pytest.mark.parametrize(
    ("defect", "seen", "counted"),
    [
        (drops_a_byte, {"body", "answer"}, "lost 0, repeated 0, otherwise wrong 1"),
        (runs_twice, {"events"}, "lost 0, repeated 1, otherwise wrong 0"),
        (never_answers, {"answer", "raised", "faults"}, "lost 1, repeated 0, otherwise wrong 0"),
        (swaps_the_answers, {"answer", "faults"}, "lost 0, repeated 0, otherwise wrong 1"),
        (raises_instead, {"raised"}, "lost 0, repeated 0, otherwise wrong 1"),
    ],
)
def test_a_planted_defect_is_found(
    defect: Defect, seen: set[str], counted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One request of forty goes wrong: the run fails, and says which, how, and how to repeat it."""
    arguments = ["--seconds", "1", "--seed", "11", "--wave-size", "40", "--wave", "0"]
    assert main(arguments, _planted(defect)) == 1
    told = capsys.readouterr().out
    assert "seed 11" in told
    assert f"requests {counted}" in told
    assert f"request {_PLANTED}: " in told
    found = {line.strip() for line in told.splitlines() if line.startswith("  ")}
    assert seen <= found
    assert "stock itself gives two answers" not in told
    assert f"--seed 11 --mode swap --wave 0 --wave-size 40 --only {_PLANTED}" in told


async def leaves_a_task(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await call(scope, receive, send)
    asyncio.ensure_future(asyncio.sleep(1_000_000))  # noqa: RUF006


async def forgets_a_failure(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await call(scope, receive, send)
    asyncio.get_running_loop().create_future().set_exception(ValueError("nobody asks"))


async def forgets_to_await(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    await call(scope, receive, send)
    asyncio.sleep(1)


async def spins(call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    while True:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("defect", "told"),
    [
        (leaves_a_task, "a task is left over"),
        (forgets_a_failure, "nobody asks"),
        (forgets_to_await, "'sleep' was never awaited"),
        (spins, "the clock stands still"),
    ],
)
def test_what_happens_beside_the_answer_is_found(
    defect: Defect, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the loop or the interpreter hears of."""
    monkeypatch.setattr("tests.clock._TURNS", 2_000)
    arguments = ["--seed", "11", "--wave-size", "40", "--wave", "0"]
    assert main(arguments, _planted(defect)) == 1
    assert told in capsys.readouterr().out


def _planted(defect: Defect) -> Side:
    """Stock, but for one request."""

    class Defective(starlette.applications.Starlette):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            call = super().__call__
            if scope["state"]["flight"].plan.number == _PLANTED:
                await defect(call, scope, receive, send)
            else:
                await call(scope, receive, send)

    side = Side("planted", "starlette")
    side.Starlette = Defective
    return side


def test_a_leak_is_found() -> None:
    """A side that keeps something of every request is told from one that does not."""
    kept = []

    class Keeping(starlette.applications.Starlette):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            kept.append({"path": scope["path"], "headers": [*scope["headers"]]})
            await super().__call__(scope, receive, send)

    side = Side("keeping", "starlette")
    side.Starlette = Keeping
    tally = Tally()
    with (
        apart_from_what_is_there(),
        SideRunner(STOCK, _SEED) as stock,
        SideRunner(side, _SEED) as keeping,
    ):
        for number in range(3):
            plans = schedule(_SEED, number, 40, 30)
            waves = [stock.run(plans), keeping.run(plans)]
            tally.add(plans, waves[0].outcomes(), waves)
    assert [leak.split(" ")[:2] for leak in tally.leaks(("stock", "keeping"))] == [
        ["keeping", "leaks"]
    ]


def test_a_schedule_is_made_of_its_seed() -> None:
    """The same seed plans the same requests, and another one others; no id comes twice."""
    assert schedule(7, 0, 50, 10) == schedule(7, 0, 50, 10)
    assert schedule(7, 0, 50, 10) != schedule(8, 0, 50, 10)
    plans = schedule(7, 0, 50, 10) + schedule(7, 1, 50, 10)
    assert [plan.number for plan in plans] == [*range(100)]


def test_installed(capsys: pytest.CaptureFixture[str]) -> None:
    """`install()` is compared from a process of its own."""
    assert main(["--seed", "13", "--wave-size", "40", "--wave", "0", "--mode", "install"]) == 0
    assert "all as on stock" in capsys.readouterr().out


def test_waiting_takes_no_time() -> None:
    """A year goes by at once, in order, and threads are waited for."""

    async def waits() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        loop.watch_threads()
        began, found = loop.time(), []
        await asyncio.gather(*(asyncio.sleep(days * 86_400) for days in (365, 1)))
        found.append(loop.time() - began)
        with anyio.move_on_after(1):
            await anyio.to_thread.run_sync(sum, [1, 2])
        found.append(loop.time() - began)
        return found

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        assert runner.run(waits()) == [365 * 86_400, 365 * 86_400]


def test_what_waits_for_ever_is_told() -> None:
    """Nothing can run and nothing is planned: the loop says so."""

    async def stalls() -> str:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        future: asyncio.Future[str] = loop.create_future()
        loop.when_stalled(lambda: future.set_result("stalled"))
        return await future

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        assert runner.run(stalls()) == "stalled"


def test_what_spins_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something never waits: an error, and not a run without end."""
    monkeypatch.setattr("tests.clock._TURNS", 1_000)

    async def spinning() -> None:
        while True:
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner, pytest.raises(Spinning):
        runner.run(spinning())


def test_memory_of_slow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is held; what is compared are the two sides."""
    monkeypatch.setattr(memory, "REQUESTS", 40)
    assert 1 < memory.peak(STOCK) < 200
