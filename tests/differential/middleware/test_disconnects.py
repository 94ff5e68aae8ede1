"""The client goes away: before, during and after the answer; or `send` fails."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.asgi import Visit
from tests.differential import answering
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.bodies import READS
from tests.differential.middleware.dispatches import DROPPING, PASSING
from tests.differential.modes import STOCK, Mode
from tests.differential.part import Part, dispatch, endpoint
from tests.differential.scene import Scene, check, play_all
from tests.differential.served import PATH, Served
from tests.differential.world import World

STACKS = (
    (dispatches.header,),
    (dispatches.header, dispatches.in_context, dispatches.untouched),
    (layers.both, dispatches.header),
    (dispatches.header, layers.both),
)
GONE = (
    *(Visit(PATH, leaves=True), Visit(PATH, leaves=True, slow=True)),
    *(Visit(PATH, body=(), leaves=True), Visit(PATH, body=(b"ab",), cut=True)),
    *(Visit(PATH, leaves_at=1), Visit(PATH, leaves_at=2), Visit(PATH, leaves_at=3)),
    *(Visit(PATH, fails=0), Visit(PATH, fails=1), Visit(PATH, fails=2)),
)
WHOLE = (answering.json, answering.background, answering.own_class, READS[0], answering.pausing)


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_answers_to_nobody(mode: Mode, stack: tuple[Part, ...]) -> None:
    """Who does not listen is answered all the same, and background tasks run."""
    check(mode, *(Scene(Served(e, stack), GONE) for e in WHOLE))
    check(mode, *(Scene(Served(e, stack), GONE) for e in WHOLE), backend="trio")


@pytest.mark.parametrize("part", [*PASSING, *DROPPING], ids=repr)
def test_a_send_that_fails(mode: Mode, part: Part) -> None:
    """OSError out of the server's `send` goes through whatever the dispatch function does."""
    fails = (Visit(PATH, fails=0), Visit(PATH, fails=1), Visit(PATH, fails=2, spec="2.4"))
    below = (answering.json, answering.cookies)
    check(mode, *(Scene(Served(e, (part,)), fails) for e in below))
    # How far the inner one has come when the outer one fails is not certain.
    unheard = ("layer 2", "endpoint", "stream")
    nested = [Served(e, (dispatches.background, part)) for e in below]
    check(mode, *(Scene(served, fails, unheard=unheard) for served in nested))


@endpoint
async def slow_stream(world: World, request: Any) -> Any:
    """Its pieces come only as fast as the client takes them, or once it is gone."""

    async def content() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number
            await world.until(f"sent {number + 2}")

    async def after() -> None:
        world.tell("background", "runs")

    return world.ns.StreamingResponse(content(), background=world.ns.BackgroundTask(after))


STREAMED = tuple(
    Visit(PATH, leaves_at=leaves_at, fails=fails, spec=spec, stuck=fails is not None)
    for spec in ("2.3", "2.4")
    for leaves_at, fails in ((2, None), (3, None), (6, None), (None, 0), (None, 1), (None, 3))
)


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_a_stream_to_a_client_that_leaves(mode: Mode, stack: tuple[Part, ...]) -> None:
    """It is left alone, cancelled, or fails, as the version of the server's protocol has it."""
    check(mode, Scene(Served(slow_stream, stack), STREAMED))


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_an_endless_stream(mode: Mode, stack: tuple[Part, ...]) -> None:
    """Ends with its client: by its leaving up to 2.3, by OSError from 2.4 on."""
    visits = (Visit(PATH, leaves_at=3), Visit(PATH, fails=3, spec="2.4"))
    for visit in visits:
        scene = Scene(Served(streaming.endless, stack), (visit,))
        theirs, ours = (ended(play_all(side, [scene])[0][1]) for side in (STOCK, mode))
        assert ours == theirs


def ended(outcome: Any) -> Any:
    """How it ended; how many pieces were on their way by then is not certain."""
    tasks = [entry for entry in outcome["log"] if entry[0] == "background"]
    return tasks, outcome["exception"], outcome["messages"][-1].get("more_body")


@endpoint
async def polls(world: World, request: Any) -> Any:
    """Works until nobody waits for it any more."""
    await request.body()
    for number in range(20):
        world.tell("polling", number)
        if await request.is_disconnected():
            world.tell("endpoint", "has noticed")
            break
        world.happens("polling")
        await anyio.lowlevel.checkpoint()
    else:
        world.tell("endpoint", "has noticed nothing")
    return world.ns.PlainTextResponse("polled")


@endpoint
async def waits_for_disconnect(world: World, request: Any) -> Any:
    """Long polling: waits in `receive` until the client has gone."""
    await request.body()
    world.happens("polling")
    message = await request.receive()
    world.tell("endpoint", dict(message))
    world.tell("endpoint", dict(await request.receive()))
    return world.ns.PlainTextResponse("nobody will know")


@endpoint
async def watches(world: World, request: Any) -> Any:
    """A task of its own waits for the client to leave; it is told so once all is answered."""

    async def watch() -> None:
        while True:
            # How much of the body it is given before that is not certain.
            if (await request.receive())["type"] == "http.disconnect":
                world.tell("watcher", "has seen it leave")
                return

    class Watched(world.ns.PlainTextResponse):  # type: ignore[misc, name-defined]
        async def __call__(self, *given: Any) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(watch)
                await super().__call__(*given)
                world.tell("endpoint", "answered")

    return Watched("watched")


@endpoint
async def races_disconnect(world: World, request: Any) -> Any:
    """Gives up on its work when the client leaves before it is done."""
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            world.tell("watcher", "has seen it leave")
            group.cancel_scope.cancel()

        group.start_soon(watch)
        world.happens("polling")
        with contextlib.suppress(StopAsyncIteration):
            await world.until("worked")
        world.tell("endpoint", "never done")
    return world.ns.PlainTextResponse("given up")


def without_pieces(outcome: Any) -> Any:
    """How much of the body a watcher reads before the answer is sent is not certain."""
    return {**outcome, "pieces of the body": None}


LEAVING = (
    Visit(PATH, body=(b"a", b"b"), leaves_when="polling", stuck=True),
    Visit(PATH, body=(b"a", b"b"), leaves_when="polling", stuck=True, slow=True),
    *(
        Visit(PATH, stuck=True),
        Visit(PATH, leaves=True, stuck=True),
        Visit(PATH, cut=True, stuck=True),
    ),
)


@pytest.mark.parametrize(
    "below", [polls, waits_for_disconnect, watches, races_disconnect], ids=repr
)
@pytest.mark.parametrize("stack", [(), *STACKS], ids=repr)
def test_an_endpoint_that_watches_its_client(
    mode: Mode, stack: tuple[Part, ...], below: Part
) -> None:
    """It polls, waits, or watches from a task of its own."""
    # On stock a watcher hears of the disconnect before the endpoint has answered; here just after.
    lanes = below is watches
    scene = Scene(Served(below, stack), LEAVING, lanes=lanes, reduce=without_pieces)
    check(mode, scene)
    check(mode, scene, backend="trio")


@dispatch
async def asks_around(world: World, who: str, request: Any, call_next: Any) -> Any:
    """`is_disconnected` before and after what is below."""
    world.tell(who, await request.is_disconnected())
    response = await call_next(request)
    world.tell(who, await request.is_disconnected(), await request.is_disconnected())
    return response


@dispatch
async def watches_from_above(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Reads the body, then watches for the client while what is below works."""
    await request.body()
    response = None

    async with anyio.create_task_group() as group:

        async def watch() -> None:
            message = await request.receive()
            world.tell(who, "watched", message["type"])
            group.cancel_scope.cancel()

        group.start_soon(watch)
        response = await call_next(request)
        group.cancel_scope.cancel()
    return response or world.ns.PlainTextResponse("gone", 499)


@pytest.mark.parametrize("part", [asks_around, watches_from_above], ids=repr)
def test_a_middleware_that_watches_its_client(mode: Mode, part: Part) -> None:
    """Before, after and while what is below is at work."""
    below, visits = (polls, waits_for_disconnect), LEAVING[:3]
    if part is asks_around:  # what watches at the same time may win where nothing waits
        below = (*below, answering.json, READS[0], READS[11])
        visits = (*LEAVING, Visit(PATH, body=(b"a", b"b"), leaves=True, stuck=True))
    for stack in ((part,), (part, dispatches.header), (dispatches.header, part)):
        # Stock cancels a middleware before what waits in `receive` below it; here that comes first.
        lanes = part is watches_from_above
        served = [Served(e, stack) for e in below]
        check(mode, *(Scene(one, visits, lanes=lanes, unheard=("polling",)) for one in served))
