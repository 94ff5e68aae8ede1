"""What is due in a loop, on asyncio and on uvloop."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from turbostar._stages.due import callbacks_due, is_due_since, newest_due, queues_of, turns_due

LOOPS = [
    "asyncio",
    pytest.param(
        "uvloop",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed"
        ),
    ),
]
each_loop = pytest.mark.parametrize("name", LOOPS)


def run(name: str, main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function on a loop of that kind."""
    with asyncio.Runner(loop_factory=importlib.import_module(name).new_event_loop) as runner:
        return runner.run(main())


def nothing() -> None:
    """Is scheduled."""


@each_loop
def test_what_is_due(name: str) -> None:
    """What is to be called soon, and what is to be called at a time that has come."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        turns_due(loop, queues_of(loop))
        await asyncio.sleep(0)  # after which uvloop's queues are known, and nothing is left of it
        found = [turns_due(loop, queues_of(loop))]
        loop.call_soon(nothing)
        found.append(turns_due(loop, queues_of(loop)))
        await asyncio.sleep(0)
        found.append(turns_due(loop, queues_of(loop)))
        loop.call_later(3600, nothing).cancel()
        later = loop.call_later(0.005, nothing)
        found.append(turns_due(loop, queues_of(loop)))
        time.sleep(0.02)
        found.append(turns_due(loop, queues_of(loop)))
        later.cancel()
        return found

    assert run(name, main) == [0, 1, 0, 0, 2]


@each_loop
def test_what_was_scheduled_since(name: str) -> None:
    """By anybody: a callback, a task, or a time that has come."""

    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        loop.call_soon(nothing)
        before = newest_due(loop, queues_of(loop))
        found = [is_due_since(loop, queues_of(loop), before)]
        loop.call_soon(nothing)
        found.append(is_due_since(loop, queues_of(loop), before))
        await asyncio.sleep(0)
        found.append(is_due_since(loop, queues_of(loop), before))
        task = asyncio.ensure_future(asyncio.sleep(0))
        found.append(is_due_since(loop, queues_of(loop), before))
        await task
        later = loop.call_later(0.005, nothing)
        found.append(is_due_since(loop, queues_of(loop), before))
        time.sleep(0.02)
        found.append(is_due_since(loop, queues_of(loop), before))
        later.cancel()
        return found

    assert run(name, main) == [False, True, False, True, False, True]


@each_loop
def test_who_is_the_newest(name: str) -> None:
    """The same as long as nothing else was scheduled."""

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.call_soon(nothing)
        return newest_due(loop, queues_of(loop)) is newest_due(loop, queues_of(loop)) is not None

    assert run(name, main)


@each_loop
def test_loops_of_their_own(name: str) -> None:
    """What is known of one loop says nothing of the next."""

    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        turns_due(loop, queues_of(loop))
        await asyncio.sleep(0)
        before = turns_due(loop, queues_of(loop))
        loop.call_soon(nothing)
        return before, turns_due(loop, queues_of(loop))

    assert [run(name, main) for _ in range(3)] == [(0, 1)] * 3


def test_too_many_timers_to_look_at() -> None:
    """On uvloop, which keeps them in no order: one of them may be over."""
    pytest.importorskip("uvloop")

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        turns_due(loop, queues_of(loop))
        await asyncio.sleep(0)
        timers = [loop.call_later(3600, nothing) for _ in range(64)]
        found = [turns_due(loop, queues_of(loop))]
        timers.append(loop.call_later(3600, nothing))
        found.append(turns_due(loop, queues_of(loop)))
        for timer in timers:
            timer.cancel()
        return found

    assert run("uvloop", main) == [0, 2]


def test_a_loop_that_does_not_tell() -> None:
    """Something may be due there."""
    loop: Any = object()
    assert callbacks_due(loop, None) == -1
    queues = queues_of(loop)
    assert turns_due(loop, queues) == 1
    assert newest_due(loop, queues) is not newest_due(loop, queues)
    assert is_due_since(loop, queues, newest_due(loop, queues))


@each_loop
def test_loops_by_turns(name: str) -> None:
    """Each loop has its own queues, whichever was asked for last."""

    async def main() -> Any:
        return queues_of(asyncio.get_running_loop())

    first, second = run(name, main), run(name, main)
    assert first is None if name == "asyncio" else first.ready is not second.ready


@each_loop
def test_how_many_callbacks_are_due(name: str) -> None:
    """None, some, and an unknown number where a time has come."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        queues = queues_of(loop)
        await asyncio.sleep(0)
        found = [callbacks_due(loop, queues)]
        loop.call_soon(nothing)
        loop.call_soon(nothing)
        found.append(callbacks_due(loop, queues))
        await asyncio.sleep(0)
        later = loop.call_later(0.005, nothing)
        found.append(callbacks_due(loop, queues))
        time.sleep(0.02)
        found.append(callbacks_due(loop, queues))
        later.cancel()
        return found

    assert run(name, main) == [0, 2, 0, -1]
