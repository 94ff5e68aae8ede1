"""What is not HTTP: websockets, their denial, the lifespan, and what is of no known type."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException, WebSocketException

from tests.asgi import Visit
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.dispatches import DISPATCHES
from tests.differential.middleware.forms import FORMS, by
from tests.differential.middleware.kit import kit, tells_scope
from tests.differential.middleware.test_authentication import plain
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part, told
from tests.differential.scene import Scene, check
from tests.differential.served import Served, middleware, wrapped
from tests.differential.world import World

STACKS = (
    (dispatches.header,),
    (dispatches.answers, dispatches.raises_before),
    (layers.both, dispatches.header, layers.neither),
    (by(dispatches.header, "own_call"), layers.copies),
)
STARLETTES = (
    *(kit("CORS"), kit("GZip", minimum_size=0), kit("Session", secret_key="key"), plain),
    *(kit("TrustedHost", allowed_hosts=["b.example"]), kit("TrustedHost"), kit("HTTPSRedirect")),
    kit("RequestBodyLimit", max_body_size=1),
)
DENIAL = (("extensions", {"websocket.http.response": {}}),)


async def echoes(world: World, websocket: Any) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(f"{text} {sorted(websocket.scope)}")


async def closes(world: World, websocket: Any) -> None:
    await websocket.close(4001, "no")


async def denies(world: World, websocket: Any) -> None:
    await websocket.send_denial_response(world.ns.PlainTextResponse("denied", 403))


async def denies_by_stream(world: World, websocket: Any) -> None:
    await websocket.send_denial_response(world.ns.StreamingResponse(iter("ab"), 403))


async def fails(world: World, websocket: Any) -> None:
    await websocket.accept()
    raise Boom("in the session")


async def raises_http(world: World, websocket: Any) -> None:
    raise HTTPException(403)


async def raises_policy(world: World, websocket: Any) -> None:
    raise WebSocketException(1008, "policy")


SESSIONS = (echoes, closes, denies, denies_by_stream, fails, raises_http, raises_policy)


def sessions(parts: tuple[Part, ...], place: str) -> Callable[[World], Any]:
    """An application of all these sessions, with the layers in some place."""

    def build(world: World) -> Any:
        ns, made = world.ns, middleware(world, parts, "layer ")
        below = made if place == "route" else None

        def session(function: Any) -> Any:
            async def bound(websocket: Any) -> None:
                await told(world, "session", function(world, websocket))

            return ns.WebSocketRoute(f"/{function.__name__}", bound, middleware=below)

        @contextlib.asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[Any]:
            world.tell("lifespan", "up")
            yield {"state": 1}
            world.tell("lifespan", "down")

        table = [session(function) for function in SESSIONS]
        if place == "mount":
            table = [ns.Mount("", routes=table, middleware=made)]
        if place == "router":
            app = ns.Router(table, lifespan=lifespan, middleware=made)
        else:
            above = made if place == "app" else None
            app = ns.Starlette(routes=table, lifespan=lifespan, middleware=above)
        return wrapped(app, made) if place == "around" else app

    return build


VISITS = (
    Visit("", type="lifespan", extra=(("state", {}),)),
    *(
        Visit(f"/{function.__name__}", type="websocket", extra=extra)
        for function in SESSIONS
        for extra in ((), DENIAL)
    ),
    *(Visit("/none", type="websocket"), Visit("/none", type="websocket", extra=DENIAL)),
    *(Visit("/echoes", type="websocket", fails=1), Visit("/echoes"), Visit("/none")),
)
PLACES = ("app", "router", "mount", "route", "around")


@pytest.mark.parametrize("place", PLACES)
def test_sessions_pass_through(mode: Mode, place: str) -> None:
    """No dispatch function is asked: accept, echo, close, denial, exceptions, the lifespan."""
    for stack in STACKS:
        check(mode, Scene(Served(build=sessions(stack, place)), VISITS))
    scene = Scene(Served(build=sessions(STACKS[0], place)), VISITS)
    check(mode, scene, backend="trio")


@pytest.mark.parametrize("half", HALVES, ids=repr)
def test_sessions_of_half_migrated_applications(half: Mode) -> None:
    """Starlette's middleware in our application, and the reverse."""
    for place in PLACES:
        check(half, Scene(Served(build=sessions(STACKS[2], place)), VISITS))


def bare(parts: tuple[Part, ...]) -> Callable[[World], Any]:
    """Layers around an application that takes whatever comes."""

    def build(world: World) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            world.tell("endpoint", list(scope), receive is not None)
            await send({"type": f"{scope['type']}.answer"})

        return wrapped(app, middleware(world, parts, "layer "))

    return build


@pytest.mark.parametrize(
    "part", [*DISPATCHES[::6], *(by(DISPATCHES[0], n) for n in FORMS)], ids=repr
)
def test_other_types_of_scope(mode: Mode, part: Part) -> None:
    """Passed on as they are; without a type it is an error."""
    visits = [Visit("/", extra=(("type", kind),)) for kind in ("other", "lifespan", "websocket")]
    visits.append(Visit("/", without=("type",)))
    for stack in ((part,), (layers.both, part)):
        check(mode, Scene(Served(build=bare(stack)), tuple(visits)))


@pytest.mark.parametrize("part", STARLETTES, ids=repr)
def test_other_types_of_scope_through_starlettes_own(mode: Mode, part: Part) -> None:
    """What is not theirs they pass on as it is, without a trace in the scope."""
    visits = [Visit("/", extra=(("type", kind),)) for kind in ("other", "lifespan", "websocket")]
    visits.append(Visit("/", type="websocket", headers=((b"content-length", b"9" * 9),)))
    for stack in ((part,), (tells_scope, part, tells_scope)):
        check(mode, Scene(Served(build=bare(stack)), tuple(visits)))
        check(mode, Scene(Served(build=sessions(stack, "app")), VISITS))
