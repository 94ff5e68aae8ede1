"""Streams through middleware: how far ahead they are pulled, and from where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.asgi import Visit
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.streaming import STREAMS
from tests.differential.modes import STOCK, Mode
from tests.differential.part import Part, dispatch, endpoint
from tests.differential.scene import Scene, check, play_all
from tests.differential.served import PATH, Served
from tests.differential.world import World

SPECS = (Visit(PATH, spec="2.3"), Visit(PATH, spec="2.4"), Visit(PATH, spec="2.4", slow=True))
STACKS = (
    (dispatches.header,) * 3,
    (layers.sends, dispatches.wraps_body),
    (dispatches.wraps_body, layers.sends),
    (dispatches.wraps_body, dispatches.wraps_body, dispatches.background),
    (layers.pausing, dispatches.drops_for_stream, layers.pausing),
    (dispatches.header, layers.collects),
)


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_streams_through_stacks(mode: Mode, stack: tuple[Part, ...]) -> None:
    """All pieces, in their order, and the background task after them."""
    # What waits for its client is not to be collected before it is sent on.
    streams = [one for one in (*STREAMS, streaming.pausing) if one is not streaming.gated]
    streams += [streaming.gated] * (layers.collects not in stack)
    for backend in ("asyncio", "trio"):
        served = [Served(one, stack) for one in streams]
        # What a thread makes is ahead of its client by more or less.
        scenes = (Scene(one, SPECS, lanes=one.has_threads) for one in served)
        check(mode, *scenes, backend=backend)


def lead(log: list[Any]) -> int:
    """By how many pieces the stream was ahead of its client, at most."""
    pulled = received = most = 0
    for who, *what in log:
        pulled += who == "stream" and what != ["is over"]
        received += who == "client" and what == ["http.response.body"]
        most = max(most, pulled - received)
    return most


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_streams_are_pulled_lazily(mode: Mode, depth: int, spec: str) -> None:
    """As on stock, one piece ahead of the client, and one for each middleware."""
    scene = Scene(Served(streaming.ten, (dispatches.untouched,) * depth), (Visit(PATH, spec=spec),))
    theirs, ours = (play_all(side, [scene])[0][1] for side in (STOCK, mode))
    assert ours["messages"] == theirs["messages"]
    assert all(1 <= lead(side["log"]) <= depth + 1 for side in (ours, theirs))


def _session(world: World) -> Any:
    """What is open for as long as the middleware waits for `call_next`."""
    return world.kept.setdefault("session", {"open": False})


@dispatch
async def opens_session(world: World, who: str, request: Any, call_next: Any) -> Any:
    session = _session(world)
    session["open"] = True
    try:
        return await call_next(request)
    finally:
        session["open"] = False


@endpoint
async def streams_session(world: World, request: Any) -> Any:
    async def content() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d" % (number or _session(world)["open"])

    return world.ns.StreamingResponse(content())


def test_the_first_piece_is_made_before_call_next_returns(mode: Mode) -> None:
    """A stream of one piece can use what its middleware closes."""
    for stack in ((opens_session,), (opens_session, dispatches.header)):
        scene = Scene(Served(streams_session, stack), SPECS[:2])
        check(mode, scene)


def _scoped(name: str, enter: Any, *backends: str) -> Part:
    async def answer(world: World, request: Any) -> Any:
        async def content() -> AsyncIterator[bytes]:
            async with enter():
                for number in range(3):
                    yield b"%d" % number
                    await anyio.lowlevel.checkpoint()

        return world.ns.StreamingResponse(content())

    answer.__name__ = name
    return endpoint(answer, backends=backends)


class scope:
    """A cancel scope, as an asynchronous context manager like the others."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()

    async def __aenter__(self) -> None:
        self.scope.__enter__()

    async def __aexit__(self, *exc: Any) -> None:
        self.scope.__exit__(*exc)


SCOPES = {
    "cancel scope": scope,
    "anyio task group": anyio.create_task_group,
    "timeout": lambda: asyncio.timeout(60),
    "asyncio task group": asyncio.TaskGroup,
}


def _entering(name: str, enter: Any) -> Part:
    async def entering(world: World, who: str, request: Any, call_next: Any) -> Any:
        async with enter():
            response = await call_next(request)
        world.tell(who, "has left it")
        return response

    entering.__name__ = name
    return dispatch(entering)


@pytest.mark.parametrize("below", SCOPES)
@pytest.mark.parametrize("above", SCOPES)
def test_scopes_across_a_stream(mode: Mode, above: str, below: str) -> None:
    """Scopes of the middleware and of a generator overlap without being nested."""
    part = _entering(above.replace(" ", "_"), SCOPES[above])
    stream = _scoped(below.replace(" ", "_"), SCOPES[below])
    stacks = ((part,), (part, part), (dispatches.header, part), (part, layers.both))
    scenes = [Scene(Served(stream, stack), SPECS) for stack in stacks]
    check(mode, *scenes)
    if not {above, below} & {"timeout", "asyncio task group"}:
        check(mode, *scenes, backend="trio")


@dispatch
async def reads_on_in_task(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Another task than the one that called on reads the body."""
    response = await call_next(request)
    found: list[Any] = []

    async def read() -> None:
        async for piece in response.body_iterator:
            found.append(piece)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
    return world.ns.PlainTextResponse(b"".join(map(bytes, found)) or "nothing")


@dispatch
async def reads_by_anext(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    iterator = response.body_iterator
    world.tell(who, iterator is aiter(iterator))
    first = await anext(iterator, None)
    world.tell(who, "first", first)

    async def rest() -> AsyncIterator[Any]:
        if first is not None:
            yield first
        async for piece in iterator:
            yield piece

    response.body_iterator = rest()
    return response


@dispatch
async def gives_up_reading(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Reads for as long as it likes, and the rest is no longer wanted."""
    response = await call_next(request)
    with anyio.CancelScope() as cancelling:
        async for piece in response.body_iterator:
            world.tell(who, piece)
            cancelling.cancel()
            await anyio.lowlevel.checkpoint()
    return world.ns.PlainTextResponse("enough")


@pytest.mark.parametrize("part", [reads_on_in_task, reads_by_anext, gives_up_reading], ids=repr)
def test_other_ways_to_read_a_stream(mode: Mode, part: Part) -> None:
    """From another task, one by one, or not to its end."""
    unheard = ("stream",) if part is gives_up_reading else ()
    for one in (streaming.one, streaming.ten, streaming.texts, streaming.synchronous):
        for stack in ((part,), (part, dispatches.header)):
            visits = SPECS[1:] if part is gives_up_reading else SPECS
            served = Served(one, stack)  # as above, of threads
            check(mode, Scene(served, visits, lanes=served.has_threads, unheard=unheard))
