"""`call_next` in other tasks, later, again, and in places that it was not made for."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import anyio
import pytest

from tests.asgi import Visit
from tests.differential import answering, failing, raw
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.bodies import READS
from tests.differential.modes import Mode
from tests.differential.part import Part, dispatch, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served
from tests.differential.world import World

pytestmark = pytest.mark.timeout(60)  # seconds, for what can be neither awaited nor cancelled


@dispatch
async def task(world: World, who: str, request: Any, call_next: Any) -> Any:
    return await asyncio.create_task(call_next(request))


@dispatch
async def gathered(world: World, who: str, request: Any, call_next: Any) -> Any:
    async def other() -> str:
        await asyncio.sleep(0)
        return "other"

    response, found = await asyncio.gather(call_next(request), other())
    response.headers["x-other"] = found
    return response


@dispatch
async def gathered_exceptions(world: World, who: str, request: Any, call_next: Any) -> Any:
    (found,) = await asyncio.gather(call_next(request), return_exceptions=True)
    world.tell(who, found if isinstance(found, Exception) else "no exception")
    if isinstance(found, Exception):
        return world.ns.PlainTextResponse(str(found), 500)
    return found


@dispatch
async def shield(world: World, who: str, request: Any, call_next: Any) -> Any:
    return await asyncio.shield(call_next(request))


@dispatch
async def task_group(world: World, who: str, request: Any, call_next: Any) -> Any:
    async with asyncio.TaskGroup() as group:
        called = group.create_task(call_next(request))
    return called.result()


@dispatch
async def anyio_group(world: World, who: str, request: Any, call_next: Any) -> Any:
    found: list[Any] = []

    async def call() -> None:
        found.append(await call_next(request))

    async with anyio.create_task_group() as group:
        group.start_soon(call)
    return found[0]


@dispatch
async def work_beside(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Something else goes on in the middleware while it waits."""

    async def work() -> None:
        for number in range(3):
            world.tell("beside", number)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        return await call_next(request)


TASKS = (task, gathered, gathered_exceptions, shield, task_group, anyio_group, work_beside)
BELOW = (
    *(answering.json, answering.background, answering.pausing, failing.boom, failing.http),
    *(failing.with_context, failing.background_boom, streaming.one, streaming.ten),
    *(READS[0], READS[2], raw.silent),
)


@pytest.mark.parametrize("part", TASKS, ids=repr)
def test_call_next_in_another_task(mode: Mode, part: Part) -> None:
    """Awaited there, its response is good here."""
    visits = (Visit(PATH, body=(b"a", b"b")), Visit(PATH), Visit("/none"))
    for stack in ((part,), (part, dispatches.header), (dispatches.header, part, layers.both)):
        # What goes on beside is cancelled when the rest fails, sooner or later.
        scenes = [Scene(Served(e, stack), visits, unheard=("beside",)) for e in BELOW]
        check(mode, *scenes)
        if part in (anyio_group, work_beside):
            check(mode, *scenes, backend="trio")


@dispatch
async def starts_and_leaves(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Does not wait for what it has started."""

    async def call() -> None:
        with contextlib.suppress(Exception):
            await call_next(request)

    world.kept["called"] = asyncio.ensure_future(call())
    await world.until("below")
    return world.ns.PlainTextResponse("left")


@dispatch
async def cancels_its_task(world: World, who: str, request: Any, call_next: Any) -> Any:
    called = asyncio.ensure_future(call_next(request))
    await world.until("below")
    called.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await called
    world.tell(who, called.cancelled())
    return world.ns.PlainTextResponse("cancelled")


@endpoint
async def is_below(world: World, request: Any) -> Any:
    world.happens("below")
    await world.until("answered")
    return world.ns.PlainTextResponse("too late")


@pytest.mark.parametrize("part", [starts_and_leaves, cancels_its_task], ids=repr)
def test_a_task_that_is_left_alone(mode: Mode, part: Part) -> None:
    """What is below goes on until it is done."""
    for stack in ((part,), (dispatches.header, part), (part, dispatches.header)):
        check(mode, Scene(Served(is_below, stack), (Visit(PATH),) * 2, unheard=("beside",)))


@dispatch
async def twice_consumed(world: World, who: str, request: Any, call_next: Any) -> Any:
    first = await call_next(request)
    found = [piece async for piece in first.body_iterator]
    second = await call_next(request)
    world.tell(who, found, first is second, first.status_code, second.status_code)
    return second


@dispatch
async def twice_unconsumed(world: World, who: str, request: Any, call_next: Any) -> Any:
    """The second call finds what the first has left."""
    first = await call_next(request)
    world.tell(who, first.status_code)
    return await call_next(request)


@dispatch
async def first_of_two(world: World, who: str, request: Any, call_next: Any) -> Any:
    first = await call_next(request)
    with contextlib.suppress(AssertionError):
        await call_next(request)
    return first


@dispatch
async def until_it_works(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Tries up to three times, as after a deadlock in a database."""
    for attempt in range(3):
        try:
            response = await call_next(request)
        except Boom:
            world.tell(who, "failed", attempt)
        else:
            return response
    return world.ns.PlainTextResponse("in vain", 500)


@endpoint
async def works_at_last(world: World, request: Any) -> Any:
    world.kept["attempts"] = world.kept.get("attempts", 0) + 1
    if world.kept["attempts"] % 3:
        raise Boom(f"attempt {world.kept['attempts']}")
    return world.ns.PlainTextResponse("at last")


AGAIN = (twice_consumed, twice_unconsumed, first_of_two, until_it_works)


@pytest.mark.parametrize("part", AGAIN, ids=repr)
def test_call_next_again(mode: Mode, part: Part) -> None:
    """The first response read, or not; or there was none, for it failed.

    Alone, where two runs write to one stream: with others, whose turn it is is not certain.
    """
    below = (*BELOW, works_at_last)
    visits = (Visit(PATH, body=(b"a", b"b"), stuck=True), Visit(PATH, spec="2.4", stuck=True))
    # What runs again for nobody is cancelled sooner or later.
    unheard = ("stream", "endpoint", "layer 2")
    stacks = ((part,), (part, dispatches.header), (dispatches.header, part))
    for stack in stacks[:1] if part in (twice_unconsumed, first_of_two) else stacks:
        for e in below:
            if part in (twice_unconsumed, first_of_two) and e.traits.get("streams"):
                continue  # whose pieces come first is not certain
            check(mode, Scene(Served(e, stack), visits, unheard=unheard))


@dispatch
async def called_by_its_task(world: World, who: str, request: Any, call_next: Any) -> Any:
    """After the answer, but before the middleware has returned."""
    response = world.ns.PlainTextResponse("before")

    async def after() -> None:
        late = await call_next(request)
        world.tell(who, "late", late.status_code)

    response.background = world.ns.BackgroundTask(after)
    return response


@dispatch
async def keeps_call_next(world: World, who: str, request: Any, call_next: Any) -> Any:
    world.kept["call_next"] = call_next, request
    return await call_next(request)


class CallsLate:
    """Calls on when there is nobody left to answer."""

    async def perform(self, world: World) -> Any:
        call_next, request = world.kept["call_next"]
        start = len(world.log)
        error = None
        try:
            await call_next(request)
        except Exception as exc:
            error = exc
        return {"exception": type(error).__name__, "log": world.log[start:]}

    def __repr__(self) -> str:
        return "calls late"


def test_call_next_after_the_answer(mode: Mode) -> None:
    """In a background task of the middleware's own response, or when all is over."""
    for e in (answering.json, answering.background, failing.boom):
        check(mode, Scene(Served(e, (called_by_its_task,)), (Visit(PATH),) * 2))
        for backend in ("asyncio", "trio"):
            steps = (Visit(PATH), CallsLate(), Visit(PATH))
            scene = Scene(Served(e, (keeps_call_next,)), steps)
            check(mode, scene, backend=backend)


@dispatch
async def lends_call_next(world: World, who: str, request: Any, call_next: Any) -> Any:
    world.kept["call_next"] = call_next
    return await call_next(request)


@endpoint
async def borrows_call_next(world: World, request: Any) -> Any:
    """Calls itself through the middleware, once."""
    world.kept["depth"] = world.kept.get("depth", 0) + 1
    if world.kept["depth"] > 1:
        return world.ns.PlainTextResponse("innermost")
    response = await world.kept["call_next"](request)
    return world.ns.PlainTextResponse(f"around {response.status_code}")


def test_call_next_in_the_endpoint(mode: Mode) -> None:
    """Both wait for the same answers, and each gets one that is not its own."""
    visits = (Visit(PATH, stuck=True),)
    check(mode, Scene(Served(borrows_call_next, (lends_call_next,)), visits))
    stack = (dispatches.header, lends_call_next)
    check(mode, Scene(Served(borrows_call_next, stack), visits))


@pytest.mark.parametrize(
    "stack", [(dispatches.header,) * 350, (dispatches.header, layers.neither) * 150]
)
@pytest.mark.parametrize("below", [answering.json, failing.boom])
def test_hundreds_of_them(mode: Mode, below: Part, stack: tuple[Part, ...]) -> None:
    """On stock each has a task, and thus a stack, of its own."""
    check(mode, Scene(Served(below, stack), (Visit(PATH),)))


@pytest.mark.parametrize("count", [64, 65, 100])
def test_many_over_a_stream(mode: Mode, count: int) -> None:
    """For more than some 200 of them the stack is too small on stock, too."""
    check(mode, Scene(Served(streaming.one, (dispatches.header,) * count), (Visit(PATH),)))
