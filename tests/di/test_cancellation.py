"""Providers that open cancel scopes and task groups, and finalizers that are cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_thread
import pytest

from turbostar.di import Container, GeneratorMisuse, Inject


class One: ...


class Two: ...


def finalized(log: list[str]) -> Container:
    """One provider, whose finalizer takes its time."""
    di = Container()

    @di.provide
    async def one() -> AsyncIterator[One]:
        try:
            yield One()
        finally:
            await anyio.lowlevel.checkpoint()
            await anyio.sleep(0.001)
            log.append("one ended")

    return di


async def start_and_cancel(function: Any) -> None:
    """Run a function in a task of a group, and cancel the group."""
    async with anyio.create_task_group() as group:
        group.start_soon(function)
        await anyio.sleep(0.001)
        group.cancel_scope.cancel()


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_finalizers_run_to_their_end(backend: str) -> None:
    """Though the scope around them stays cancelled, which interrupts every await in it."""
    log: list[str] = []
    di = finalized(log)

    async def wait(one: Inject[One]) -> None:
        await anyio.sleep(3600)

    async def within_a_limit() -> None:
        with anyio.fail_after(3600):
            await di.call(wait)

    async def main() -> None:
        await start_and_cancel(di.inject(wait))
        await start_and_cancel(within_a_limit)

    anyio.run(main, backend=backend)
    assert log == ["one ended"] * 2


def test_finalizers_wait_within_a_limit_that_has_passed() -> None:
    """That of their own task; what does not wait, such as a checkpoint, raises as always."""
    log: list[str] = []
    di = Container()

    @di.provide
    async def one() -> AsyncIterator[One]:
        try:
            yield One()
        finally:
            await asyncio.sleep(0.001)
            log.append("waited")
            with anyio.move_on_after(0.001):
                await asyncio.sleep(3600)
            await anyio.lowlevel.checkpoint()
            log.append("not reached")

    async def wait(one: Inject[One]) -> None:
        await anyio.sleep(3600)

    async def main() -> None:
        with anyio.move_on_after(0.001) as scope:
            await di.call(wait)
        assert scope.cancelled_caught

    anyio.run(main)
    assert log == ["waited"]


def test_a_limit_of_a_finalizer_holds(backend: str) -> None:
    """The shield does not take its own cancel scopes from it."""
    log: list[str] = []
    di = finalized(log)

    @di.provide
    async def two(one: One) -> AsyncIterator[Two]:
        try:
            yield Two()
        finally:
            with anyio.move_on_after(0.001, shield=True) as scope:
                await anyio.sleep(3600)
            log.append(f"two was limited: {scope.cancelled_caught}")

    async def wait(two: Inject[Two]) -> None:
        await anyio.sleep(3600)

    async def main() -> None:
        await start_and_cancel(di.inject(wait))

    anyio.run(main, backend=backend)
    assert log == ["two was limited: True", "one ended"]


def test_a_task_group_around_the_yield_is_cancelled_from_without(backend: str) -> None:
    """It is left as it was entered, and the scopes around it stay whole."""
    log: list[str] = []
    di = finalized(log)

    @di.provide
    async def group(one: One) -> AsyncIterator[anyio.abc.TaskGroup]:
        async with anyio.create_task_group() as group:
            yield group
            log.append("not cancelled")

    async def wait(group: Inject[anyio.abc.TaskGroup]) -> None:
        group.start_soon(anyio.sleep, 3600)
        await anyio.sleep(3600)

    async def main() -> None:
        await start_and_cancel(di.inject(wait))
        with anyio.move_on_after(0.001) as scope:
            await di.call(wait)
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert log == ["one ended"]


def test_a_task_group_around_the_yield_tells_why_it_cancelled(backend: str) -> None:
    """What its task raised takes the place of the cancellation, which has ended with it."""
    log: list[str] = []
    di = finalized(log)

    @di.provide
    async def group(one: One) -> AsyncIterator[anyio.abc.TaskGroup]:
        async with anyio.create_task_group() as group:
            yield group

    async def fail() -> None:
        raise LookupError("child")

    async def wait(group: Inject[anyio.abc.TaskGroup]) -> None:
        group.start_soon(fail)
        await anyio.sleep(3600)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await di.call(wait)
        assert caught.group_contains(LookupError, match="child")
        with anyio.move_on_after(0.001) as scope:
            await anyio.sleep(3600)
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert log == ["one ended"]


@pytest.mark.parametrize("suppresses", [False, True])
def test_a_limit_around_the_yield_is_told(backend: str, suppresses: bool) -> None:
    """`fail_after` raises, and what would only suppress the cancellation is a misuse."""
    log: list[str] = []
    di = finalized(log)

    def limited() -> Any:
        return anyio.fail_after(0.001) if not suppresses else anyio.move_on_after(0.001)

    @di.provide
    async def two(one: One) -> AsyncIterator[Two]:
        with limited():
            yield Two()

    async def wait(two: Inject[Two]) -> None:
        await anyio.sleep(3600)

    async def main() -> None:
        expected: Any = GeneratorMisuse if suppresses else TimeoutError
        with pytest.raises(expected):
            await di.call(wait)

    anyio.run(main, backend=backend)
    assert log == ["one ended"]


def test_task_groups_and_limits_of_asyncio() -> None:
    """They raise what they made of the cancellation that was theirs."""
    log: list[str] = []
    di = finalized(log)

    @di.provide
    async def group(one: One) -> AsyncIterator[asyncio.TaskGroup]:
        async with asyncio.TaskGroup() as group:
            yield group

    @di.provide
    async def two(one: One) -> AsyncIterator[Two]:
        async with asyncio.timeout(0.001):
            yield Two()

    async def fail() -> None:
        raise LookupError("child")

    async def with_group(group: Inject[asyncio.TaskGroup]) -> None:
        group.create_task(fail())
        await asyncio.sleep(3600)

    async def with_limit(two: Inject[Two]) -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await di.call(with_group)
        assert caught.group_contains(LookupError, match="child")
        with pytest.raises(TimeoutError):
            await di.call(with_limit)
        task: Any = asyncio.current_task()
        assert not task.cancelling()

    asyncio.run(main())
    assert log == ["one ended"] * 2


def test_a_finalizer_that_fails_does_not_end_a_cancellation() -> None:
    """The task stays cancelled, and the failure is told with it."""
    di = Container()

    @di.provide
    def one() -> Iterator[One]:
        try:
            yield One()
        finally:
            raise OSError("connection lost")

    started = []

    async def wait(one: Inject[One]) -> None:
        started.append(one)
        await asyncio.sleep(3600)

    async def main() -> None:
        task = asyncio.create_task(di.call(wait))
        while not started:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert "connection lost" in caught.value.__notes__[0]
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())


@pytest.mark.parametrize("is_closing", [False, True])
def test_a_thread_is_waited_for(is_closing: bool) -> None:
    """What a cancelled task has begun in one ends there, before what it needs is torn down."""
    log: list[str] = []
    di = Container()
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        go_on.wait(10)

    @di.provide
    def one() -> Iterator[One]:
        try:
            yield One()
        finally:
            log.append("one ended")

    @di.provide(thread=True)
    def two(one: One) -> Iterator[Two]:
        if not is_closing:
            pause()
        log.append("two")
        try:
            yield Two()
        finally:
            if is_closing:
                pause()
            log.append("two ended")

    async def handle(two: Inject[Two]) -> None: ...

    async def main() -> None:
        task = asyncio.create_task(di.call(handle))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0.001)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["two", "two ended", "one ended"]

    asyncio.run(main())


def test_a_thread_that_never_began_is_not_waited_for() -> None:
    """All threads are taken; the task is cancelled before it gets one."""
    log: list[str] = []
    di = Container()

    @di.provide(thread=True)
    def two() -> Iterator[Two]:
        log.append("two")
        yield Two()

    async def handle(two: Inject[Two]) -> None: ...

    async def main() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 1
        async with limiter:
            task = asyncio.create_task(di.call(handle))
            await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert log == []
