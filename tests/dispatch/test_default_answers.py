"""Redirects, 404, 405 and HTTPExceptions that nobody else has a say in."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from tests.dispatch.serving import exchange, layers_of, types
from turbostar._dispatch.default_answers import default_answer, default_error, miss, redirect_of
from turbostar._guard.swapped import refresh
from turbostar._routing.choose import choose
from turbostar.applications import Starlette
from turbostar.exceptions import HTTPException
from turbostar.routing import Route, Router


async def hello(request: Any) -> Any:
    return PlainTextResponse("hello")


ROUTES = [Route("/a", hello, methods=["POST"]), Route("/b/", hello), Route("/c/{n:int}", hello)]


def scope_of(path: str, **more: Any) -> dict[str, Any]:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "scheme": "http"}
    return {**scope, "headers": [(b"host", b"a.example")], "query_string": b"", **more}


def answer_to(path: str, app: Starlette, **more: Any) -> Any:
    """What `default_answer` gives for a request to the application."""
    _, exceptions, router = layers_of(app)
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    scope = scope_of(path, **more)
    return default_answer(choose(router, scope), scope, handlers)


@pytest.mark.parametrize(
    ("path", "status", "header", "body"),
    [
        ("/none", 404, (b"content-length", b"9"), b"Not Found"),
        ("/a", 405, (b"allow", b"POST"), b"Method Not Allowed"),
        ("/a/", 307, (b"location", b"http://a.example/a"), b""),
        ("/b", 307, (b"location", b"http://a.example/b/"), b""),
        ("/c/x/", 404, (b"content-length", b"9"), b"Not Found"),
    ],
)
def test_they_are_what_starlette_answers(path: str, status: int, header: Any, body: bytes) -> None:
    """Status, headers and body of the unsent answer."""
    found = answer_to(path, Starlette(routes=list(ROUTES)))
    assert (found.status, bytes(found.body)) == (status, body)
    assert header in found.headers


async def handler(request: Any, exc: Any) -> Any:
    return PlainTextResponse("mine", 299)


@pytest.mark.parametrize("key", [404, 405, HTTPException])
def test_a_handler_has_a_say(key: Any) -> None:
    """One of the status, or of HTTPException, is left to be asked; one of another is not."""
    app = Starlette(routes=list(ROUTES), exception_handlers={key: handler})
    assert (answer_to("/none", app) is None) == (key in (404, HTTPException))
    assert (answer_to("/a", app) is None) == (key in (405, HTTPException))
    assert (answer_to("/b", app) is None) == (key in (404, HTTPException))


def test_a_default_of_the_routers_own_has_a_say() -> None:
    """It is left to be called."""
    app = Starlette(routes=list(ROUTES))
    app.router.default = Response("mine")
    assert answer_to("/none", app) is None
    assert answer_to("/a", app).status == 405


@pytest.mark.parametrize("name", ["__call__", "__init__", "init_headers", "render"])
def test_who_has_replaced_a_method_of_responses_has_a_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are then made and sent by what somebody has put there."""
    app = Starlette(routes=list(ROUTES))
    original = getattr(Response, name)
    monkeypatch.setattr(Response, name, lambda *args, **kwargs: original(*args, **kwargs))
    assert answer_to("/none", app) is None
    monkeypatch.undo()
    refresh()  # at once, in place of when the next request looks
    assert answer_to("/none", app).status == 404


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (HTTPException(418), (418, b"I'm a Teapot")),
        (HTTPException(400, "é"), (400, "é".encode())),
        (HTTPException(401, headers={"www-authenticate": "Basic"}), (401, b"Unauthorized")),
        (HTTPException(204), (204, b"")),
        (HTTPException(304), (304, b"")),
    ],
)
def test_an_http_exception_is_answered_by_its_detail(exc: Any, expected: Any) -> None:
    """With its headers; without a body where the status has none."""
    _, exceptions, _ = layers_of(Starlette())
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    found = default_error(exc, handlers)
    assert found is not None
    assert (found.status, bytes(found.body)) == expected
    for name, value in (exc.headers or {}).items():
        assert (name.encode(), value.encode()) in found.headers


class OwnError(HTTPException):
    """Somebody's own."""


@pytest.mark.parametrize("exc", [ValueError("x"), OwnError(404), HTTPException(409)], ids=repr)
def test_other_exceptions_are_left_to_their_handlers(exc: Exception) -> None:
    """Also a subclass, and a status that has a handler."""
    _, exceptions, _ = layers_of(Starlette(exception_handlers={409: handler}))
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    assert default_error(exc, handlers) is None


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ("/b", {}, "http://a.example/b/"),
        ("/b", {"query_string": b"q=1"}, "http://a.example/b/?q=1"),
        ("/a//", {}, "http://a.example/a"),
        ("/", {}, None),
        ("/none", {}, None),
        ("/c/x/", {}, None),
        ("/b", {"type": "websocket"}, None),
        ("/root/b", {"root_path": "/root"}, "http://a.example/root/b/"),
    ],
)
def test_where_a_path_is_redirected(path: str, more: Any, expected: str | None) -> None:
    """To the path with a slash more or less, if a route matches that; the scope is only read."""
    scope = scope_of(path, **more)
    assert redirect_of(Router(list(ROUTES)), scope) == expected
    assert scope == scope_of(path, **more)


def test_no_path_is_redirected_where_that_is_turned_off() -> None:
    """By `redirect_slashes`, which may change at any time."""
    router = Router(list(ROUTES))
    router.redirect_slashes = False
    assert redirect_of(router, scope_of("/b")) is None


def test_a_miss_is_redirected_or_left_to_the_default() -> None:
    """A router without an application answers 404 itself, and raises within one."""
    router = Router(list(ROUTES))

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await miss(router, scope, receive, send)

    assert exchange(call, "/b")[0].status == 307
    assert exchange(call, "/none")[0].status == 404
    router.default = Response("mine", 299)
    client, _, _ = exchange(call, "/none")
    assert (types(client), client.status) == (["start", "body"], 299)
