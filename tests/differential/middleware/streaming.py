"""Endpoints that stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio

from tests.differential.part import Part, endpoint
from tests.differential.world import World


def _content(world: World, pieces: Any, pause: bool = False) -> AsyncIterator[Any]:
    async def content() -> AsyncIterator[Any]:
        for piece in pieces:
            world.tell("stream", piece)
            yield piece
            if pause:
                await anyio.lowlevel.checkpoint()
        # Not in a `finally`: when a forgotten generator is closed is up to the collector.
        world.tell("stream", "is over")

    return content()


def _streaming(
    name: str,
    content: Callable[[World], Any],
    *,
    threads: bool = False,
    fails: bool = False,
    **more: Any,
) -> Part:
    async def answer(world: World, request: Any) -> Any:
        task = world.ns.BackgroundTask(after, world)
        return world.ns.StreamingResponse(content(world), background=task, **more)

    answer.__name__ = name
    return endpoint(answer, streams=True, threads=threads, fails=fails)


async def after(world: World) -> None:
    world.tell("background", "after the stream")


def _synchronous(world: World) -> Iterator[Any]:
    for piece in ("a", b"b", "é"):
        world.tell("stream", piece)
        yield piece
    world.tell("stream", "is over")


async def _gated(world: World) -> AsyncIterator[bytes]:
    """Each piece but the first waits until the client has had the one before."""
    for number in range(4):
        if number:
            await world.until(f"sent {number + 1}")
        world.tell("stream", number)
        yield b"%d" % number
    world.tell("stream", "is over")


none = _streaming("none", lambda world: _content(world, ()), status_code=202)
one = _streaming("one", lambda world: _content(world, (b"one",)))
ten = _streaming("ten", lambda world: _content(world, [b"%d" % n for n in range(10)]))
texts = _streaming("texts", lambda world: _content(world, ("a", "", b"b", memoryview(b"c"), "é")))
empties = _streaming("empties", lambda world: _content(world, (b"", b"", b"x", b"")))
many = _streaming("many", lambda world: _content(world, [b"long " * 300] * 3))
typed = _streaming(
    *("typed", lambda world: _content(world, ("a", "b"))),
    media_type="text/plain",
    headers={"X-One": "1", "content-length": "2"},
)
# Under way while the client is being served, so the order of the two is not certain.
pausing = _streaming("pausing", lambda world: _content(world, ("a", "b", "c"), pause=True))
gated = _streaming("gated", _gated)
synchronous = _streaming("synchronous", _synchronous, threads=True)
a_list = _streaming("a_list", lambda world: ["a", b"b"], threads=True)
wrong = _streaming("wrong", lambda world: _content(world, (b"fine", 7)), fails=True)


@endpoint(streams=True)
async def endless(world: World, request: Any) -> Any:
    """Ends only with its client."""

    async def content() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                await anyio.lowlevel.checkpoint()
        except BaseException as exc:
            world.tell("stream", exc)
            raise

    return world.ns.StreamingResponse(content(), background=world.ns.BackgroundTask(after, world))


#: In the order in which they wait for nobody but their reader.
STREAMS = (none, one, ten, texts, empties, many, typed, gated, synchronous, a_list, wrong)
