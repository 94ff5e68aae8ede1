"""What is streamed in the stories of `streams`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import anyio

from tests.differential.drive import VISITED

if TYPE_CHECKING:
    from tests.differential.streams import Stage

BODIES: dict[str, Callable[[Stage], Any]] = {}


def body(name: str) -> Any:
    return lambda function: BODIES.setdefault(name, function)


def _ended(stage: Stage, exc: BaseException | None) -> None:
    stage.log.append(("the body ends by", type(exc).__name__))


@contextlib.contextmanager
def _watched(stage: Stage) -> Any:
    try:
        yield
    except BaseException as exc:
        _ended(stage, exc)
        raise
    _ended(stage, None)


@body("ready")
async def _(stage: Stage) -> AsyncIterator[Any]:
    VISITED.set("body")
    with _watched(stage):
        yield b"a"
        yield "é"
        yield memoryview(b"c")


@body("empty")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        for chunk in ():
            yield chunk


@body("pausing")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        for number in range(6):
            yield b"%d" % number
            await anyio.sleep(0)


@body("waiting first")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        await anyio.sleep(0.001)
        yield b"late"


@body("sync")
def _(stage: Stage) -> Any:
    return [b"a", "b", b"c"]


@body("sync, breaking")
def _(stage: Stage) -> Any:
    yield b"a"
    raise IndexError("cannot stream")


@body("iterator")
def _(stage: Stage) -> Any:
    class Chunks:
        left = 3

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"%d" % self.left

    return Chunks()


@body("wrong")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        yield b"a"
        yield 1


@body("broken")
async def _(stage: Stage) -> AsyncIterator[Any]:
    yield b"a"
    raise IndexError("cannot stream")


@body("breaking")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        for number in range(3):
            yield b"%d" % number
            await anyio.sleep(0)
        try:
            raise KeyError("inner")
        except KeyError:
            raise IndexError("cannot stream")  # noqa: B904 - for its context


@body("breaking in the end")
async def _(stage: Stage) -> AsyncIterator[Any]:
    try:
        for number in range(4):
            yield b"%d" % number
            await anyio.sleep(0)
    finally:
        raise IndexError("cannot clean up")


@body("shielded")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        with anyio.CancelScope(shield=True):
            for number in range(4):
                await anyio.sleep(0)
                yield b"%d" % number
        stage.log.append("out of the shield")
        await anyio.sleep(0)
        yield b"end"


@body("cleaning up")
async def _(stage: Stage) -> AsyncIterator[Any]:
    try:
        for number in range(4):
            yield b"%d" % number
            await anyio.sleep(0)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0)
            await anyio.sleep(0)
        stage.log.append("the body has cleaned up")


@body("in scopes")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        with anyio.move_on_after(0) as scope:
            await anyio.sleep_forever()
        yield b"%d" % scope.cancelled_caught
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
            await anyio.sleep(0)
        yield b"b"
        try:
            with anyio.fail_after(0):
                await anyio.sleep_forever()
        except TimeoutError:
            yield b"late"


@body("in threads")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        for number in range(4):
            yield await anyio.to_thread.run_sync(bytes, number)


@body("native")
async def _(stage: Stage) -> AsyncIterator[Any]:
    yield b"a"
    future = asyncio.get_running_loop().create_future()
    future.cancel("nobody asked")
    await future


@body("stubborn")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        for number in range(6):
            try:
                await anyio.sleep(0)
            except asyncio.CancelledError:
                stage.log.append("swallowed")
            yield b"%d" % number


@body("timeout")
async def _(stage: Stage) -> AsyncIterator[Any]:
    with _watched(stage):
        yield b"a"
        try:
            async with asyncio.timeout(0):
                await anyio.sleep_forever()
        except TimeoutError:
            yield b"late"
        await anyio.sleep(0)
        yield b"b"
