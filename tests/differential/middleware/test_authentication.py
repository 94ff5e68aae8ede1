"""AuthenticationMiddleware: who is asked, who is told, and what is in the scope."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from starlette.exceptions import HTTPException

from tests.asgi import Visit
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.kit import h, subclassed, tells_scope
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.world import World

WHO = ("nobody", "alice", "bob", "error", "suberror", "boom", "http", "one", "three", "pauses")


@endpoint
async def tells_user(world: World, request: Any) -> Any:
    user, auth = request.scope.get("user"), request.scope.get("auth")
    world.tell(
        "endpoint", type(user).__name__, type(auth).__name__, request.scope.get("user") is user
    )
    if not hasattr(user, "display_name"):
        return world.ns.JSONResponse(repr(user))
    found = [request.user.is_authenticated, request.user.display_name, request.auth.scopes]
    return world.ns.JSONResponse(found)


def backend(world: World, who: str) -> Any:
    """Answers as the header `x-who` asks."""
    ns = world.ns

    class Refused(ns.AuthenticationError):  # type: ignore[misc, name-defined]
        pass

    class Backend:
        async def authenticate(self, conn: Any) -> Any:
            name = conn.headers.get("x-who", "nobody")
            world.tell(who, "asked", type(conn).__name__, name, sorted(conn.scope))
            match name:
                case "nobody":
                    return None
                case "error":
                    raise ns.AuthenticationError("é, who are you?")
                case "suberror":
                    raise Refused("refused")
                case "boom":
                    raise Boom("in the backend")
                case "http":
                    raise HTTPException(401, "go away")
                case "one":
                    return (ns.AuthCredentials(),)
                case "three":
                    return 1, 2, 3
                case "pauses":
                    await anyio.lowlevel.checkpoint()
            return ns.AuthCredentials(["authenticated", name]), ns.SimpleUser(name)

    return Backend()


def _authentication(name: str, on_error: Any = None) -> Part:
    def make(world: World, who: str) -> Any:
        options = {} if on_error is None else {"on_error": on_error(world, who)}
        return world.ns.Middleware(
            world.ns.AuthenticationMiddleware, backend=backend(world, who), **options
        )

    return Part(name, make, kind="layer")


def answers(world: World, who: str) -> Any:
    def on_error(conn: Any, exc: Exception) -> Any:
        world.tell(who, "on error", type(conn).__name__, exc)
        return world.ns.JSONResponse({"error": str(exc)}, 401, {"www-authenticate": "own"})

    return on_error


def returns_none(world: World, who: str) -> Any:
    return lambda conn, exc: None


def raises(world: World, who: str) -> Any:
    def on_error(conn: Any, exc: Exception) -> Any:
        raise LookupError("in the handler") from exc

    return on_error


def asynchronous(world: World, who: str) -> Any:
    """Not awaited."""

    class Awaited:
        def __call__(self, conn: Any, exc: Exception) -> Any:
            return self

    return Awaited()


plain = _authentication("authentication")
LAYERS = (
    *(plain, _authentication("answers", answers), _authentication("returns_none", returns_none)),
    *(_authentication("raises", raises), _authentication("asynchronous", asynchronous)),
)
VISITS = (
    *(Visit(PATH, headers=h(x_who=name)) for name in WHO),
    *(Visit(PATH), Visit("/none", headers=h(x_who="alice"))),
    *(
        Visit(
            PATH, extra=(("user", "somebody's"), ("auth", "somebody's")), headers=h(x_who="error")
        ),
    ),
    *(Visit(PATH, method="HEAD", headers=h(x_who="error")),),
)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_requests(mode: Mode, layer: Part) -> None:
    """Nobody, somebody, an error, an exception, and what no backend should return."""
    for stack in ((layer,), (tells_scope, layer), (dispatches.header, layer, dispatches.untouched)):
        check(mode, Scene(Served(tells_user, stack), VISITS))
    check(mode, Scene(Served(tells_user, (layer,)), VISITS), backend="trio")


@pytest.mark.parametrize("place", PLACES)
def test_places(mode: Mode, place: str) -> None:
    """One in the place of another, and one below another."""
    for stack in ((plain,), (plain, LAYERS[1]), (layers.copies, plain, layers.both)):
        check(mode, Scene(Served(tells_user, stack, place), VISITS))


def test_websockets(mode: Mode) -> None:
    """Closed, instead of answered, on an error; told of the user otherwise."""
    for layer in LAYERS:

        def build(world: World, layer: Part = layer) -> Any:
            async def session(websocket: Any) -> None:
                await websocket.accept()
                await websocket.send_json([websocket.user.display_name, websocket.auth.scopes])
                await websocket.close()

            table = [world.ns.WebSocketRoute(PATH, session)]
            return world.ns.Starlette(routes=table, middleware=[layer(world, "layer")])

        steps = [Visit(PATH, type="websocket", headers=visit.headers) for visit in VISITS[:8]]
        check(mode, Scene(Served(build=build), (*steps, Visit("", type="lifespan"))))


def own_error(base: Any, world: World, who: str) -> Any:
    class Own(base):
        @staticmethod
        def default_on_error(conn: Any, exc: Exception) -> Any:
            world.tell(who, "own error", exc)
            return world.ns.PlainTextResponse("own", 418)

    return Own


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell(who, "own call")
            await super().__call__(scope, receive, send)

    return Own


def _other_backend(world: World) -> None:
    class Backend:
        async def authenticate(self, conn: Any) -> Any:
            return world.ns.AuthCredentials(["other"]), world.ns.SimpleUser("other")

    stack_of(world).backend = Backend()


def _other_error(world: World) -> None:
    stack_of(world).on_error = lambda conn, exc: world.ns.PlainTextResponse("other", 499)


def _patched_backend(world: World) -> None:
    async def authenticate(self: Any, conn: Any) -> Any:
        return None

    type(stack_of(world).backend).authenticate = authenticate


def test_subclasses_and_changes(mode: Mode) -> None:
    """Methods of subclasses, and attributes that are replaced while it serves."""
    for derive in (own_error, own_call):

        def make(world: World, who: str, derive: Any = derive) -> Any:
            return subclassed("Authentication", derive, backend=backend(world, who))(world, who)

        layer = Part(derive.__name__, make, kind="layer")
        check(mode, Scene(Served(tells_user, (layer,)), VISITS))
    for change in (_other_backend, _other_error, _patched_backend):
        steps = (*VISITS[:4], change, *VISITS[:4])
        check(mode, Scene(Served(tells_user, (plain,)), steps))
    for half in HALVES:
        check(half, Scene(Served(tells_user, (plain,)), VISITS))
