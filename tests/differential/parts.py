"""The middleware, exception handlers and ASGI applications that descriptions name."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tests.differential.endpoints import Boom, SubBoom, attempt, seen
from tests.differential.observed import raised

if TYPE_CHECKING:
    from tests.differential.world import World


class Layer:
    """A pure ASGI middleware that tells when it is entered and left."""

    def __init__(self, app: Any, world: World, label: str) -> None:
        self.app, self.world, self.label = app, world, label
        world.log.append(("built", label))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.world.log.append(("enter", self.label, list(scope)))
        try:
            await self.inner(scope, receive, send)
        except BaseException as exc:
            self.world.log.append(("failed", self.label, raised(exc)))
            raise
        finally:
            self.world.log.append(("leave", self.label, list(scope)))

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class PathLayer(Layer):
    """Changes where the request goes."""

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path", "").startswith("/b"):
            scope["path"] = "/a" + scope["path"][2:]
        await self.app(scope, receive, send)


class CopyLayer(Layer):
    """Hands on a copy of the scope, so that nothing set below comes back."""

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app({**scope, "copied": self.label}, receive, send)


class ShortLayer(Layer):
    """Answers some requests itself."""

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and b"pick" in scope.get("query_string", b""):
            response = self.world.ns.PlainTextResponse("short", 299)
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class HeadersLayer(Layer):
    """Changes the headers on their way out, in place."""

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        async def wrapped(message: Any) -> None:
            if "headers" in message:
                message["headers"].insert(0, (b"x-layer", self.label.encode()))
            await send(message)

        await self.app(scope, receive, wrapped)


class RaisingLayer(Layer):
    """Fails before or after what is below it."""

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("query_string") == b"early":
            raise HTTPException(418, "from a middleware")
        await self.app(scope, receive, send)
        if scope.get("query_string") == b"late":
            raise Boom("after the answer")


LAYERS: dict[str, type[Layer]] = {
    "pure": Layer,
    "path": PathLayer,
    "copy": CopyLayer,
    "short": ShortLayer,
    "headers": HeadersLayer,
    "raising": RaisingLayer,
}


def middleware(world: World, kind: str, label: str) -> Any:
    """Build what `middleware=` takes."""
    if kind != "base":
        return world.ns.Middleware(LAYERS[kind], world, label)

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            world.log.append(("dispatch", label))
            response = await call_next(request)
            response.headers["x-base"] = label
            return response

    world.needs_loop = True
    world.quiet_always = True
    return world.ns.Middleware(Based)


KEYS: dict[Any, Any] = {
    "HTTPException": HTTPException,
    "Boom": Boom,
    "SubBoom": SubBoom,
    "Exception": Exception,
    "ValueError": ValueError,
    "RuntimeError": RuntimeError,
}


def handler(world: World, kind: str, label: str) -> Any:
    """Build an exception handler."""

    def tell(request: Any, exc: Any) -> Any:
        handling = repr(sys.exc_info()[0])
        report = seen(world, request) if hasattr(request, "query_params") else {}
        world.log.append(("handler", label, type(request).__name__, raised(exc), handling, report))
        return world.ns.JSONResponse(label, status_code=getattr(exc, "status_code", 599))

    async def answer(request: Any, exc: Any) -> Any:
        return tell(request, exc)

    async def none(request: Any, exc: Any) -> None:
        tell(request, exc)

    async def asgi(request: Any, exc: Any) -> Any:
        tell(request, exc)

        async def send_it(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 298, "headers": []})
            await send({"type": "http.response.body", "body": b"by hand"})

        return send_it

    async def raises(request: Any, exc: Any) -> Any:
        tell(request, exc)
        raise RuntimeError("the handler is broken")

    async def turns(request: Any, exc: Any) -> Any:
        tell(request, exc)
        raise HTTPException(418, "turned into this")

    async def reraises(request: Any, exc: Any) -> Any:
        tell(request, exc)
        raise exc

    class Handler:
        async def __call__(self, request: Any, exc: Any) -> Any:
            return tell(request, exc)

    def sync(request: Any, exc: Any) -> Any:
        return tell(request, exc)

    if kind == "sync":
        world.needs_loop = True
    kinds: dict[str, Callable[..., Any]] = {
        "async": answer,
        "none": none,
        "asgi": asgi,
        "raises": raises,
        "reraises": reraises,
        "turns": turns,
        "callable": Handler(),
        "sync": sync,
    }
    return kinds[kind]


def asgi_app(world: World, kind: str, label: str) -> Any:
    """Build an application that is not Starlette's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths = {key: attempt(lambda key=key: scope[key]) for key in ("path", "root_path")}
        world.log.append(("asgi", label, list(scope), paths, world.labels.of(scope)))
        if scope["type"] == "http":
            await world.ns.JSONResponse(paths)(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4002})

    class Application:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)

    class Files(Application):
        """What StaticFiles is to the router: HTTP alone, and 404 by exception."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            assert scope["type"] == "http"
            if not scope["path"].endswith("a"):
                raise HTTPException(404, "no such file")
            await super().__call__(scope, receive, send)

    return {"asgi": app, "asgi_object": Application(), "files": Files()}[kind]


def lifespan(world: World, kind: str) -> Any:
    """Build what `lifespan=` takes."""

    @contextlib.asynccontextmanager
    async def context(app: Any) -> AsyncIterator[Any]:
        world.log.append(("startup", world.labels.of(app)))
        if kind == "fails early":
            raise Boom("early")
        yield {"state": "from the lifespan"} if kind == "state" else None
        world.log.append(("shutdown",))
        if kind == "fails late":
            raise Boom("late")

    async def asynchronous(app: Any) -> AsyncIterator[None]:
        world.log.append(("startup",))
        yield
        world.log.append(("shutdown",))

    def synchronous(app: Any) -> Iterator[None]:
        world.log.append(("startup",))
        yield
        world.log.append(("shutdown",))

    return {"async generator": asynchronous, "generator": synchronous}.get(kind, context)
