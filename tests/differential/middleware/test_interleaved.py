"""Many requests at once through the same middleware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from tests.asgi import Visit
from tests.brief import Brief
from tests.differential.drive import Client
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.bodies import BEFORE
from tests.differential.modes import Mode
from tests.differential.observed import Outcome, raised
from tests.differential.part import Part, dispatch, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served
from tests.differential.world import World

MANY = 20


@dispatch
async def keeps_apart(world: World, who: str, request: Any, call_next: Any) -> Any:
    """What is one request's own is told by no other."""
    number = request.query_params["n"]
    request.state.number = number
    for _ in range(int(number) % 3):
        await anyio.lowlevel.checkpoint()
    response = await call_next(request)
    response.headers["x-number"] = f"{number} {request.state.number}"
    await anyio.lowlevel.checkpoint()
    response.background = world.ns.BackgroundTask(note, world, number)
    return response


async def note(world: World, number: str) -> None:
    world.tell(f"task {number}", "runs")


@endpoint
async def answers_in_turn(world: World, request: Any) -> Any:
    number = int(request.query_params["n"])
    for _ in range((7 * number) % 5):
        await anyio.lowlevel.checkpoint()
    body = await request.body()
    if number % 6 == 5:
        raise Boom(f"number {number}")
    text = f"{number} {request.state.number} {body!r} {request.scope['path_params']}"
    if number % 6 == 4:

        async def content() -> Any:
            for word in text.split():
                yield word
                await anyio.lowlevel.checkpoint()

        return world.ns.StreamingResponse(content())
    return world.ns.PlainTextResponse(text)


@dataclass(frozen=True, repr=False)
class Crowd(Brief):
    """Twenty requests that begin at the same time."""

    slow: bool = False

    async def perform(self, world: World) -> Outcome:
        found: dict[int, Any] = {}
        world.happened.clear()
        world.awaited.clear()
        start = len(world.log)

        async def one(number: int) -> None:
            body = (b"body of ", b"%d" % number)
            visit = Visit(world.kept["path"], query=b"n=%d" % number, body=body, slow=self.slow)
            client, scope = Client(visit, world), visit.scope()
            client.gone = anyio.Event()
            error = None
            try:
                await world.top(scope, client.receive, client.send)
            except Exception as exc:
                error = exc
            found[number] = (
                client.sent,
                raised(error, through=True),
                list(scope),
                world.of(scope.get("state")),
            )

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for number in range(MANY):
                    group.start_soon(one, number)
        lanes = [entry for entry in world.log[start:] if entry[0].startswith("task")]
        return {"found": sorted(found.items()), "log": sorted(lanes)}


STACKS = (
    (keeps_apart,),
    (keeps_apart, dispatches.header, dispatches.wraps_body),
    (keeps_apart, BEFORE[0], layers.neither),
    (layers.both, keeps_apart, layers.pausing, BEFORE[2]),
)


@pytest.mark.parametrize("place", ["app", "route", "split"])
@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_many_requests_at_once(mode: Mode, stack: tuple[Part, ...], place: str) -> None:
    """Each gets its own answer, whatever order they come and go in."""
    path = ("/m" if place in ("mounted app", "split") else "") + PATH

    def tell_path(world: World) -> None:
        world.kept["path"] = path

    steps = (tell_path, Crowd(), Crowd(slow=True))
    scene = Scene(Served(answers_in_turn, stack, place), steps)
    check(mode, scene)
    check(mode, scene, backend="trio")
