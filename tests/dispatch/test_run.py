"""From a chosen route to its answer, for each kind of route that there is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dispatch.serving import Call, exchange, types
from turbostar._dispatch.run import run
from turbostar._routing.choose import choose
from turbostar._routing.entries import Kind
from turbostar.endpoints import HTTPEndpoint
from turbostar.exceptions import HTTPException
from turbostar.responses import PlainTextResponse
from turbostar.routing import Mount, Route, Router, WebSocketRoute


async def hello(request: Any) -> Any:
    return PlainTextResponse(f"hello {request.path_params.get('name', '')}")


async def session(websocket: Any) -> None:
    await websocket.accept()
    await websocket.close()


async def teapot(request: Any) -> Any:
    raise HTTPException(418)


class Resource(HTTPEndpoint):
    async def get(self, request: Any) -> Any:
        return PlainTextResponse("by class")


class Application:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("by an application")(scope, receive, send)


class Handling(Route):
    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("handled")(scope, receive, send)


ROUTER = Router(
    [
        Route("/hello/{name}", hello),
        Route("/class", Resource),
        Route("/asgi", Application()),
        Handling("/handle", hello),
        Route("/post", hello, methods=["POST"]),
        Route("/slash/", hello),
        Route("/teapot", teapot),
        WebSocketRoute("/ws", session),
        Mount("/outer", app=Application()),
    ]
)


def dispatch(kinds: list[Kind], handlers: Any = None) -> Call:
    """Chooses and runs, as the router's `app` does, and notes the kind of what was chosen."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        if handlers is not None:
            scope["starlette.exception_handlers"] = handlers
        entry = choose(ROUTER, scope)
        kinds.append(entry.kind)
        await run(entry, scope, receive, send)

    return call


@pytest.mark.parametrize(
    ("path", "kind", "status", "body"),
    [
        ("/hello/you", Kind.ENDPOINT, 200, b"hello you"),
        ("/class", Kind.CLASS, 200, b"by class"),
        ("/asgi", Kind.ASGI, 200, b"by an application"),
        ("/handle", Kind.HANDLE, 200, b"handled"),
        ("/post", Kind.NOT_ALLOWED, 405, b"Method Not Allowed"),
        ("/slash", Kind.MISS, 307, b""),
        ("/none", Kind.MISS, 404, b"Not Found"),
        ("/none\n", Kind.STOCK, 404, b"Not Found"),
        ("/outer/any", Kind.ASGI, 200, b"by an application"),
    ],
)
def test_each_kind_is_answered(path: str, kind: Kind, status: int, body: bytes) -> None:
    """By its endpoint, its class, its application, its own `handle`, or the router's default."""
    kinds: list[Kind] = []
    client, _, raised = exchange(dispatch(kinds), path)
    assert (kinds, raised) == ([kind], None)
    assert (types(client), client.status, client.body) == (["start", "body"], status, body)


def test_a_session_is_given_its_websocket() -> None:
    """And nothing is sent beside what it sends."""
    kinds: list[Kind] = []
    client, _, raised = exchange(dispatch(kinds), "/ws", type="websocket")
    assert (kinds, raised) == ([Kind.SESSION], None)
    assert types(client) == ["accept", "close"]


def test_an_exception_is_raised_where_the_scope_has_no_handlers() -> None:
    """As by an endpoint of Starlette's outside of any application."""
    client, _, raised = exchange(dispatch([]), "/teapot")
    assert isinstance(raised, HTTPException)
    assert client.sent == []


def test_an_exception_is_answered_by_the_handlers_of_the_scope() -> None:
    """By status, with the request that the endpoint got."""
    asked: list[Any] = []

    async def handler(request: Any, exc: Any) -> Any:
        asked.append(request)
        return PlainTextResponse("handled", exc.status_code)

    client, scope, raised = exchange(dispatch([], ({}, {418: handler})), "/teapot")
    assert (raised, client.status, client.body) == (None, 418, b"handled")
    assert asked[0].scope is scope


def test_a_handler_is_too_late_once_the_response_has_started() -> None:
    """That is an error of its own, raised from the first."""

    async def handler(request: Any, exc: Any) -> Any:
        raise AssertionError("too late to be asked")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        scope["starlette.exception_handlers"] = ({}, {418: handler})
        await run(choose(Router([Route("/", answer)]), scope), scope, receive, send)

    class Late(PlainTextResponse):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise HTTPException(418)

    async def answer(request: Any) -> Any:
        return Late("")

    client, _, raised = exchange(call, "/")
    assert isinstance(raised, RuntimeError)
    assert isinstance(raised.__cause__, HTTPException)
    assert types(client) == ["start"]
