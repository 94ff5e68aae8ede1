"""The endpoints that descriptions name: each tells what it was called with, and what it saw."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tests.differential.drive import VISITED
from tests.differential.observed import plain
from tests.differential.part import endpoint, named_endpoint

if TYPE_CHECKING:
    from tests.differential.world import World


class Boom(Exception):
    """An application's own exception."""


class SubBoom(Boom):
    """A more special one, that a handler of `Boom` takes as well."""


class SubHTTP(HTTPException):
    """An application's own HTTPException."""


def attempt(call: Callable[[], Any]) -> str:
    """What a call gives, be it an exception."""
    try:
        return plain(f"{type(value := call()).__name__} {value}")
    except Exception as exc:
        return plain(f"{type(exc).__name__}: {exc}")


def seen(world: World, conn: Any) -> dict[str, Any]:
    """What an endpoint can observe of its connection."""
    scope = conn.scope
    params = scope.get("path_params", {})
    name = getattr(scope.get("route"), "name", None)
    return {
        "params": repr(world.labels.of(params)),
        "url": attempt(lambda: conn.url),
        "base": attempt(lambda: conn.base_url),
        "query": attempt(lambda: conn.query_params),
        "route": world.labels.of(scope.get("route")),
        "router": world.labels.of(scope.get("router")),
        "app": attempt(lambda: world.labels.of(conn.app)),
        "endpoint": world.labels.of(scope.get("endpoint")),
        "keys": list(scope),
        "state": attempt(lambda: world.labels.of(dict(conn.state._state))),
        "url_for": attempt(lambda: conn.url_for(name or "one", **params)),
        "handling": repr(sys.exc_info()[0]),
    }


def tell(world: World, label: str, conn: Any) -> dict[str, Any]:
    """`seen`, entered into the log."""
    VISITED.set(label)
    report = seen(world, conn)
    world.log.append(("endpoint", label, report))
    return report


@named_endpoint("async")
def _(world: World, label: str) -> Any:
    async def answer(request: Any) -> Any:
        return world.ns.JSONResponse(tell(world, label, request))

    return answer


@endpoint(name="json")
async def echo(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    body = await request.body()
    again = await request.body()
    return world.ns.JSONResponse({"body": body.decode(), "same": again is body}, 201)


@endpoint(name="plain")
async def text(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    headers = {"X-One": "1", "content-type": "text/x"} if request.url.query else None
    response = world.ns.PlainTextResponse(who, headers=headers)
    response.set_cookie("k", "v")
    return response


@endpoint(name="poison")
async def poison(world: World, who: str, request: Any) -> Any:
    report = tell(world, who, request)
    # What is one request's own must be nobody else's.
    for key in ("path_params", "headers", "endpoint"):
        if isinstance(request.scope.get(key), dict):
            request.scope[key]["poison"] = True
    return world.ns.JSONResponse(report)


@named_endpoint("sync", waits=True)
def _(world: World, label: str) -> Any:
    def answer(request: Any) -> Any:
        return world.ns.JSONResponse(tell(world, label, request))

    return answer


@named_endpoint("partial")
def _(world: World, label: str) -> Any:
    async def answer(more: str, request: Any, *, most: str) -> Any:
        return world.ns.JSONResponse([more, most, tell(world, label, request)])

    return functools.partial(functools.partial(answer, "more"), most="most")


@named_endpoint("partial_sync", waits=True)
def _(world: World, label: str) -> Any:
    def answer(more: str, request: Any) -> Any:
        return world.ns.JSONResponse([more, tell(world, label, request)])

    return functools.partial(answer, "more")


class Holder:
    def __init__(self, world: World, label: str) -> None:
        self.world, self.label = world, label

    async def answer(self, request: Any) -> Any:
        return self.world.ns.JSONResponse(tell(self.world, self.label, request))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = self.world.ns.PlainTextResponse(self.label)
        self.world.log.append(("endpoint", self.label, list(scope)))
        await response(scope, receive, send)


@named_endpoint("method")
def _(world: World, label: str) -> Any:
    return Holder(world, label).answer


@named_endpoint("raw_instance")
def _(world: World, label: str) -> Any:
    return Holder(world, label)


@endpoint(name="raw_function")
async def answer(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)

    async def send_it(scope: Any, receive: Any, send: Any) -> None:
        world.log.append(("answering", scope is request.scope, receive is request.receive))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"raw"})

    return send_it


@named_endpoint("raw_class")
def _raw_class(world: World, label: str) -> Any:
    class Raw:
        def __init__(self, scope: Any, receive: Any, send: Any) -> None:
            self.given = scope, receive, send

        def __await__(self) -> Any:
            return Holder(world, label)(*self.given).__await__()

    return Raw


@named_endpoint("raw_partial")
def _(world: World, label: str) -> Any:
    return functools.partial(_raw_class(world, label))


@named_endpoint("class")
def _(world: World, label: str) -> Any:
    class Resource(world.ns.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return world.ns.JSONResponse(tell(world, label, request))

        async def post(self, request: Any) -> Any:
            return world.ns.PlainTextResponse(await request.body())

    return Resource


@named_endpoint("class_sync", waits=True)
def _(world: World, label: str) -> Any:
    class Resource(world.ns.HTTPEndpoint):  # type: ignore[misc, name-defined]
        def get(self, request: Any) -> Any:
            return world.ns.JSONResponse(tell(world, label, request))

        async def head(self, request: Any) -> Any:
            return world.ns.Response(status_code=204)

    return Resource


@named_endpoint("reused")
def _(world: World, label: str) -> Any:
    response = world.ns.JSONResponse({"made": "once"})

    async def again(request: Any) -> Any:
        response.headers["x-count"] = str(len(response.headers))
        return response

    return again


@endpoint(name="touches")
async def touch(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    request.scope["touched"] = who
    request.state.touched = who
    request.scope["starlette.exception_handlers"] = ({}, {})
    raise HTTPException(404, "who takes this?")
