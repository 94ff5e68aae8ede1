"""Timeouts and cancellation, above, in and below a middleware.

A dispatch function that gives up waiting for `call_next` does not end the endpoint: on stock that
runs in a task of its own, and finishes after the answer.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from tests.asgi import Visit
from tests.brief import Brief
from tests.differential import answering
from tests.differential.drive import connect
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, layers
from tests.differential.modes import Mode
from tests.differential.observed import Outcome
from tests.differential.part import Part, dispatch, endpoint
from tests.differential.scene import Scene, check as check_on
from tests.differential.served import PATH, Served
from tests.differential.world import World

pytestmark = pytest.mark.timeout(60)  # seconds, for what can be neither awaited nor cancelled
SOON = 1  # second, of a clock that jumps there when all else waits
check = functools.partial(check_on, jumps=True)


@endpoint
async def patient(world: World, request: Any) -> Any:
    """Ends only after the client has its answer."""
    world.happens("waiting")
    await world.until("answered")
    world.tell("endpoint", "goes on")
    await anyio.lowlevel.checkpoint()

    async def after() -> None:
        world.tell("background", "runs")

    return world.ns.PlainTextResponse("too late", background=world.ns.BackgroundTask(after))


@endpoint
async def patient_failure(world: World, request: Any) -> Any:
    world.happens("waiting")
    await world.until("answered")
    raise Boom("too late")


@endpoint
async def patient_stream(world: World, request: Any) -> Any:
    """The answer has begun, and nobody waits for its end."""

    async def content() -> AsyncIterator[bytes]:
        yield b"first"
        world.happens("waiting")
        await world.until("answered")
        world.tell("stream", "goes on")
        yield b"last"

    return world.ns.StreamingResponse(content())


@endpoint
async def patient_receiver(world: World, request: Any) -> Any:
    """Is told of a disconnect once the answer is sent."""
    await request.body()
    world.happens("waiting")
    world.tell("endpoint", dict(await request.receive()))
    return world.ns.PlainTextResponse("too late")


PATIENT = (patient, patient_failure, patient_receiver)
QUICK = (answering.json, answering.background, answering.pausing)


def late(world: World) -> Any:
    return world.ns.PlainTextResponse("timed out", 504)


@dispatch
async def timeout(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        async with asyncio.timeout(SOON):
            return await call_next(request)
    except TimeoutError as exc:
        world.tell(who, type(exc).__name__)
        return late(world)


@dispatch
async def timeout_at_once(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        async with asyncio.timeout(0):
            return await call_next(request)
    except TimeoutError:
        return late(world)


@dispatch
async def wait_for(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        return await asyncio.wait_for(call_next(request), SOON)
    except TimeoutError:
        return late(world)


@dispatch
async def wait(world: World, who: str, request: Any, call_next: Any) -> Any:
    task = asyncio.ensure_future(call_next(request))
    done, pending = await asyncio.wait([task], timeout=SOON)
    world.tell(who, len(done), len(pending))
    if not done:
        task.cancel()
        world.tell(who, await asyncio.gather(task, return_exceptions=True))
        return late(world)
    return task.result()


@dispatch
async def raises_timeout(world: World, who: str, request: Any, call_next: Any) -> Any:
    async with asyncio.timeout(SOON):
        return await call_next(request)


@dispatch
async def fail_after(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        with anyio.fail_after(SOON):
            return await call_next(request)
    except TimeoutError:
        return late(world)


@dispatch
async def move_on_after(world: World, who: str, request: Any, call_next: Any) -> Any:
    with anyio.move_on_after(SOON) as scope:
        return await call_next(request)
    world.tell(who, scope.cancelled_caught)
    return late(world)


@dispatch
async def cancelled_scope(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Cancelled before it calls on."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        return await call_next(request)
    return late(world)


@dispatch
async def cancelled_by_event(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Without a clock: as soon as what is below waits."""
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await world.until("waiting")
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        response = await call_next(request)
        group.cancel_scope.cancel()
        return response
    return late(world)


@dispatch
async def shielded(world: World, who: str, request: Any, call_next: Any) -> Any:
    with anyio.CancelScope(shield=True):
        return await call_next(request)


@dispatch
async def reads_with_timeout(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Gives up on the body, of which it has had a part."""
    response = await call_next(request)
    found = []
    with anyio.move_on_after(SOON):
        async for piece in response.body_iterator:
            found.append(piece)
    world.tell(who, found)
    return world.ns.PlainTextResponse("in part")


ANYIO = (fail_after, move_on_after, cancelled_scope, cancelled_by_event)
ASYNCIO = (timeout, timeout_at_once, wait_for, wait, raises_timeout)


@pytest.mark.parametrize("part", [*ASYNCIO, *ANYIO], ids=repr)
def test_a_middleware_that_gives_up(mode: Mode, part: Part) -> None:
    """The endpoint is not cancelled: it goes on once the answer is sent, and may fail then."""
    # Even where the scope is cancelled from the start, what is below runs to its end.
    below = (*QUICK, *PATIENT)
    if part in (timeout_at_once, cancelled_scope):
        below = below[:-1]  # whether the answer or the body is there first is not certain
    for stack in ((part,), (dispatches.header, part), (part, layers.both), (layers.both, part)):
        scenes = [Scene(Served(e, stack)) for e in below]
        check(mode, *scenes)
        if part in ANYIO:
            check(mode, *scenes, backend="trio")


@pytest.mark.parametrize("part", [*ASYNCIO, *ANYIO], ids=repr)
def test_a_middleware_that_gives_up_among_others(mode: Mode, part: Part) -> None:
    """The outer or the inner; one that waits all the same."""
    for stack in ((part, dispatches.header), (dispatches.swallows, part), (part, shielded)):
        check(mode, *(Scene(Served(e, stack)) for e in (patient, answering.json)))


def _in_time(part: Part) -> Part:
    async def in_time(world: World, who: str, request: Any, call_next: Any) -> Any:
        if part is timeout:
            async with asyncio.timeout(60):
                return await call_next(request)
        if part is wait_for:
            return await asyncio.wait_for(call_next(request), 60)
        if part is move_on_after:
            with anyio.move_on_after(60):
                return await call_next(request)
        with anyio.fail_after(60):
            return await call_next(request)

    in_time.__name__ = f"{part.name}_in_time"
    return dispatch(in_time)


@pytest.mark.parametrize("part", [timeout, wait_for, move_on_after, fail_after], ids=repr)
def test_a_middleware_that_need_not_give_up(mode: Mode, part: Part) -> None:
    """Within the time nothing is different."""
    in_time = _in_time(part)
    for stack in ((in_time,), (in_time, in_time), (dispatches.header, in_time, shielded)):
        check(mode, *(Scene(Served(e, stack), (Visit(PATH),) * 2) for e in QUICK))


def test_a_stream_that_is_given_up(mode: Mode) -> None:
    """Part of the body has been read, the rest is produced for nobody."""
    for spec in ("2.3", "2.4"):
        for stack in ((reads_with_timeout,), (dispatches.header, reads_with_timeout)):
            unheard = () if spec == "2.4" else ("stream",)
            served, visits = Served(patient_stream, stack), (Visit(PATH, spec=spec),)
            check(mode, Scene(served, visits, unheard=unheard))


ONCE = Visit(PATH)


@dataclass(frozen=True, repr=False)
class Abandoned(Brief):
    """A request that is cancelled from outside once its endpoint waits."""

    how: str
    visit: Visit = ONCE

    async def perform(self, world: World) -> Outcome:
        client, start = connect(world, self.visit), len(world.log)
        call = world.top(self.visit.scope(), client.receive, client.send)
        ended: Any = None
        try:
            if self.how == "scope":
                async with anyio.create_task_group() as group:
                    group.start_soon(lambda: call)
                    await world.until("waiting")
                    group.cancel_scope.cancel()
            elif self.how == "timeout":
                async with asyncio.timeout(SOON):
                    await call
            else:
                task = asyncio.ensure_future(call)
                await world.until("waiting")
                task.cancel("enough")
                await task
        except (asyncio.CancelledError, TimeoutError) as exc:
            ended = type(exc).__name__, str(exc)
        return {"ended": ended, "log": world.log[start:], "messages": client.sent}


@pytest.mark.parametrize("how", ["scope", "timeout", "task"])
@pytest.mark.parametrize(
    "stack",
    [(dispatches.header,), (dispatches.finally_,) * 3, (layers.in_task, dispatches.in_context)],
    ids=repr,
)
def test_a_request_that_is_cancelled(mode: Mode, stack: tuple[Part, ...], how: str) -> None:
    """All that is under way is cancelled, and the next request is served."""
    for below in (patient, patient_stream, patient_receiver):
        if below is patient_stream and len(stack) == 3:
            continue  # how far up its pieces have come is not certain
        steps = (Abandoned(how), Visit("/none"), Abandoned(how, Visit(PATH, slow=True)))
        # Stock cancels a middleware before what waits in `receive` below it; here that comes first.
        scene = Scene(Served(below, stack), steps, lanes=below is patient_receiver)
        for backend in ("asyncio", "trio")[: 1 + (how == "scope")]:
            check(mode, scene, backend=backend)


@endpoint
async def raises_cancelled(world: World, request: Any) -> Any:
    raise asyncio.CancelledError("by itself")


@endpoint
async def cancels_itself(world: World, request: Any) -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("by itself")
    await asyncio.sleep(0)
    return world.ns.PlainTextResponse("never")


@endpoint
async def awaits_cancelled(world: World, request: Any) -> Any:
    task = asyncio.ensure_future(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await task
    return world.ns.PlainTextResponse("never")


@endpoint
async def times_out(world: World, request: Any) -> Any:
    async with asyncio.timeout(SOON):
        await anyio.sleep_forever()


@endpoint
async def times_out_within(world: World, request: Any) -> Any:
    with anyio.move_on_after(SOON) as scope:
        await anyio.sleep_forever()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
    return world.ns.JSONResponse(scope.cancelled_caught)


@pytest.mark.parametrize(
    "below",
    [raises_cancelled, cancels_itself, awaits_cancelled, times_out, times_out_within],
    ids=repr,
)
def test_an_endpoint_that_is_cancelled(mode: Mode, below: Part) -> None:
    """Its own cancellation is nobody else's: the middleware finds that there is no answer."""
    for part in (dispatches.header, dispatches.swallows, dispatches.finally_, dispatches.drops):
        for stack in ((part,), (part, part)):
            check(mode, Scene(Served(below, stack), (Visit(PATH), Visit("/none"))))
