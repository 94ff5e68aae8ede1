"""Endpoints that raise, or return what is no response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException, WebSocketException

from tests.differential.drive import Loud
from tests.differential.endpoints import Boom, SubBoom, SubHTTP, endpoint, tell

if TYPE_CHECKING:
    from tests.differential.build import World


def _raising(name: str, make: Callable[[], BaseException]) -> None:
    @endpoint(name)
    def _(world: World, label: str) -> Any:
        async def fail(request: Any) -> Any:
            tell(world, label, request)
            raise make()

        return fail


_raising("raise_http", lambda: HTTPException(418, "teapot", {"X-Tea": "green"}))
_raising("raise_http_404", lambda: HTTPException(404))
_raising("raise_http_204", lambda: HTTPException(204, headers={"a": "b"}))
_raising("raise_sub_http", lambda: SubHTTP(405, "mine"))
_raising("raise_boom", lambda: Boom("boom"))
_raising("raise_sub_boom", lambda: SubBoom("sub"))
_raising("raise_value", lambda: ValueError("value"))
_raising("raise_loud", lambda: Loud("loud"))
_raising("raise_ws", lambda: WebSocketException(1008, "policy"))


@endpoint("raise_chained")
def _(world: World, label: str) -> Any:
    async def fail(request: Any) -> Any:
        tell(world, label, request)
        try:
            raise KeyError("first")
        except KeyError as exc:
            raise Boom("second") from exc

    return fail


@endpoint("raise_shared")
def _(world: World, label: str) -> Any:
    shared = HTTPException(418, "the same each time")

    async def fail(request: Any) -> Any:
        world.log.append(("traceback before", shared.__traceback__ is not None))
        raise shared

    return fail


@endpoint("raise_sync", waits=True)
def _(world: World, label: str) -> Any:
    def fail(request: Any) -> Any:
        tell(world, label, request)
        raise Boom("in a thread")

    return fail


@endpoint("raise_late")
def _(world: World, label: str) -> Any:
    class Late(world.ns.Response):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise Boom("after the start")

    async def late(request: Any) -> Any:
        return Late()

    return late


@endpoint("raise_late_http")
def _(world: World, label: str) -> Any:
    async def late(request: Any) -> Any:
        await world.ns.PlainTextResponse("done")(request.scope, request.receive, request._send)
        raise HTTPException(418)

    return late


@endpoint("returns_none")
def _(world: World, label: str) -> Any:
    async def nothing(request: Any) -> Any:
        tell(world, label, request)

    return nothing


@endpoint("returns_text")
def _(world: World, label: str) -> Any:
    async def text(request: Any) -> Any:
        return "text"

    return text


@endpoint("returns_class")
def _(world: World, label: str) -> Any:
    async def forgotten(request: Any) -> Any:
        return world.ns.Response

    return forgotten


@endpoint("generator", waits=True)
def _(world: World, label: str) -> Any:
    def generator(request: Any) -> Iterator[str]:
        yield "never"

    return generator


@endpoint("async_generator", waits=True)
def _(world: World, label: str) -> Any:
    async def generator(request: Any) -> AsyncIterator[str]:
        yield "never"

    return generator


@endpoint("no_parameter")
def _(world: World, label: str) -> Any:
    async def lonely() -> Any:
        return world.ns.Response()

    return lonely
