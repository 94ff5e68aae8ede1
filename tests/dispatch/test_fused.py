"""The one coroutine in place of Starlette's layers: each of them is still where it was."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.dispatch.serving import Call, exchange, layers_of, types
from turbostar._dispatch.fused import answer_request
from turbostar.applications import Starlette
from turbostar.background import BackgroundTask
from turbostar.endpoints import HTTPEndpoint
from turbostar.exceptions import HTTPException
from turbostar.responses import PlainTextResponse, StreamingResponse
from turbostar.routing import Mount, Route

LOG: list[Any] = []


class Boom(Exception):
    """An application's own exception."""


async def hello(request: Any) -> Any:
    return PlainTextResponse("hello", background=BackgroundTask(LOG.append, "background"))


async def stream(request: Any) -> Any:
    async def pieces() -> Any:
        yield b"a"
        yield b"b"

    return StreamingResponse(pieces())


async def boom(request: Any) -> Any:
    raise Boom("boom")


async def teapot(request: Any) -> Any:
    raise HTTPException(418)


async def nothing(request: Any) -> Any:
    return None


async def late(request: Any) -> Any:
    def fail() -> None:
        raise Boom("after the answer")

    return PlainTextResponse("hello", background=BackgroundTask(fail))


ENDPOINTS = (hello, stream, boom, teapot, nothing, late)
PATHS = (
    *(f"/{each.__name__}" for each in ENDPOINTS),
    *("/caught", "/sends", "/7/x", "/class", "/mount/hello", "/none", "/hello/"),
)


def application(**more: Any) -> Starlette:
    return Starlette(routes=[Route(f"/{each.__name__}", each) for each in ENDPOINTS], **more)


def fused(app: Starlette, *, outermost: bool = True) -> Call:
    """A call of `answer_request` with the layers of the application."""
    server, exceptions, router = layers_of(app)

    async def call(scope: Any, receive: Any, send: Any) -> None:
        scope["app"] = app
        above = server if outermost else None
        await answer_request(above, exceptions, router, scope, receive, send)

    return call


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/hello", 200, b"hello"),
        ("/stream", 200, b"ab"),
        ("/teapot", 418, b"I'm a Teapot"),
        ("/none", 404, b"Not Found"),
        ("/hello/", 307, b""),
    ],
)
def test_requests_are_answered(path: str, status: int, body: bytes) -> None:
    """By the endpoint, by what handles its exception, or by default."""
    client, scope, raised = exchange(fused(application()), path)
    assert (raised, client.status, client.body) == (None, status, body)
    assert "starlette.exception_handlers" in scope


def test_a_method_that_is_not_allowed_is_answered() -> None:
    """With 405 and the methods that are."""
    client, _, raised = exchange(fused(application()), "/hello", method="PUT")
    assert (raised, client.status) == (None, 405)
    allowed = dict(client.sent[0]["headers"])[b"allow"]
    assert sorted(allowed.split(b", ")) == [b"GET", b"HEAD"]


def test_background_tasks_run_after_the_answer() -> None:
    """Once the body was sent; not if it could not be."""
    LOG.clear()
    assert types(exchange(fused(application()), "/hello")[0]) == ["start", "body"]
    assert LOG == ["background"]
    client, _, raised = exchange(fused(application()), "/hello", fails=1)
    assert (types(client), LOG) == (["start"], ["background"])
    assert isinstance(raised, OSError)


@pytest.mark.parametrize("outermost", [True, False])
def test_what_nobody_handles_is_raised(outermost: bool) -> None:
    """And answered with 500 by ServerErrorMiddleware, unless that stands further up."""
    client, _, raised = exchange(fused(application(), outermost=outermost), "/boom")
    assert isinstance(raised, Boom)
    assert [message.get("status") for message in client.sent[:1]] == [500] * outermost


def test_an_exception_goes_to_its_handler() -> None:
    """Of the class or of the status; a traceback is not left on it."""
    seen: list[Any] = []

    async def handler(request: Any, exc: Any) -> Any:
        seen.append(exc)
        return PlainTextResponse(f"handled {type(exc).__name__}", 299)

    app = application(exception_handlers={Boom: handler, 418: handler})
    for path, name in (("/boom", b"Boom"), ("/teapot", b"HTTPException")):
        client, _, raised = exchange(fused(app), path)
        assert (raised, client.status, client.body) == (None, 299, b"handled " + name)
    assert [exc.__traceback__ for exc in seen] == [None, None]


def test_a_handler_of_404_is_asked() -> None:
    """Default answers are only for those whom nobody has a say over."""

    async def handler(request: Any, exc: Any) -> Any:
        return PlainTextResponse("mine", 299)

    client, _, _ = exchange(fused(application(exception_handlers={404: handler})), "/none")
    assert (client.status, client.body) == (299, b"mine")


def test_a_handler_comes_too_late_after_the_start() -> None:
    """What fails behind the answer is raised as an error of its own, and sends nothing more."""

    async def handler(request: Any, exc: Any) -> Any:
        raise AssertionError("too late to be asked")

    app = application(exception_handlers={Boom: handler})
    client, _, raised = exchange(fused(app), "/late")
    assert types(client) == ["start", "body"]
    assert isinstance(raised, RuntimeError)
    assert isinstance(raised.__cause__, Boom)


def test_what_is_no_response_is_an_error_of_the_endpoint() -> None:
    """As calling None is on Starlette."""
    client, _, raised = exchange(fused(application()), "/nothing")
    assert isinstance(raised, TypeError)
    assert client.status == 500


def test_a_send_that_fails_while_refusing_tells_of_the_refusal() -> None:
    """The HTTPException that is being answered is its context."""
    _, _, raised = exchange(fused(application(), outermost=False), "/none", fails=0)
    assert isinstance(raised, OSError)
    assert isinstance(raised.__context__, HTTPException)
    assert raised.__context__.status_code == 404


async def caught(request: Any) -> Any:
    raise LookupError("caught")


async def broken_handler(request: Any, exc: Any) -> Any:
    raise Boom("in the handler") from None


async def sends_itself(request: Any) -> Any:
    await request._send({"type": "http.response.start", "status": 202, "headers": []})
    raise HTTPException(418)


class Class(HTTPEndpoint):
    """A class endpoint that answers, and one of whose methods raises."""

    async def get(self, request: Any) -> Any:
        return PlainTextResponse("by a class")

    async def post(self, request: Any) -> Any:
        raise HTTPException(418)


def chain(exc: BaseException | None) -> list[str]:
    """What was raised, and what it is chained to."""
    found = []
    while exc is not None:
        found.append(type(exc).__name__)
        exc = exc.__context__
    return found


@pytest.mark.parametrize("fails", [None, 0, 1])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_the_shortest_way_does_the_same(path: str, method: str, fails: int | None) -> None:
    """What `Starlette.__call__` writes out does what `answer_request` does, step by step."""
    routes = [
        *(Route(f"/{each.__name__}", each, methods=["GET", "POST"]) for each in ENDPOINTS),
        Route("/caught", caught),
        Route("/sends", sends_itself),
        Route("/{number:int}/x", hello),
        Route("/class", Class),
        Mount("/mount", routes=[Route("/hello", hello)]),
    ]
    app = Starlette(routes=routes, exception_handlers={LookupError: broken_handler})
    for _ in range(2):  # until all is compiled
        exchange(app, "/hello")
    seen = []
    for call in (fused(app), app):
        LOG.clear()
        client, scope, raised = exchange(call, path, method=method, fails=fails)
        scope["starlette.exception_handlers"] = len(scope["starlette.exception_handlers"])
        seen.append((client.sent, chain(raised), [*LOG], [*scope], scope.get("route")))
    assert seen[0] == seen[1]


def test_a_copy_that_was_pickled_is_looked_into_anew() -> None:
    """What is compiled of an application comes out of a pickle as None."""
    app = application()
    exchange(app, "/hello")
    assert pickle.loads(pickle.dumps(app.__dict__["_turbostar_core"])) is None
    app.__dict__["_turbostar_core"] = None
    assert exchange(app, "/hello")[0].body == b"hello"
