"""Whole responses in one call, and everything that makes an application send messages instead."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st
from starlette.applications import Starlette as StockStarlette
from starlette.middleware.base import BaseHTTPMiddleware as StockBaseHTTPMiddleware
from starlette.responses import Response as StockResponse
from starlette.routing import Route as StockRoute

from tests.server.apps import responding
from tests.server.wire import OURS, STOCK, Heard, connect, hear, turn
from turbostar.applications import Starlette
from turbostar.background import BackgroundTask
from turbostar.exceptions import HTTPException
from turbostar.middleware.base import BaseHTTPMiddleware
from turbostar.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from turbostar.routing import Route
from turbostar.server.cycle import RequestResponseCycle

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def whole(status: int, headers: Any, body: Any) -> Any:
    """An application that hands its response over, or else sends it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        extension = scope["extensions"]["turbostar.response"]
        if not extension["hand_over"](send, status, headers, body):
            await responding(status, headers, body)(scope, receive, send)

    return app


_headers = st.lists(
    st.tuples(
        st.sampled_from(
            [b"x-a", b"content-length", b"Content-Length", b"connection", b"vary", b"x:"]
        ),
        st.sampled_from(
            [b"3", b"4", b"close", b"keep-alive", b"a\r\nb", b"x", b"text/event-stream"]
        ),
    ),
    max_size=3,
)


@given(
    status=st.sampled_from([101, 200, 201, 204, 304, 404, 599, 600]),
    headers=_headers,
    body=st.sampled_from([b"", b"abc", b"x" * 40_000]),
    start=st.sampled_from([b"GET / HTTP/1.1", b"HEAD / HTTP/1.1", b"GET / HTTP/1.0"]),
    again=st.booleans(),
)
def test_one_call_is_two_messages(
    status: int, headers: Any, body: bytes, start: bytes, again: bool
) -> None:
    """Same bytes, same end, same log, whatever is handed over, right or wrong."""
    request_ = (start + b"\r\nHost: a\r\n\r\n") * (1 + again)
    messages = hear(OURS, responding(status, headers, body), request_)
    assert hear(OURS, whole(status, headers, body), request_) == messages


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each call of the extension has returned."""
    from turbostar._http import own_send

    found: list[Any] = []

    def respond(cycle: Any, *response: Any) -> bool:
        found.append(RequestResponseCycle.respond(cycle, *response))
        return found[-1]

    send = RequestResponseCycle.send
    monkeypatch.setitem(own_send.responds, id(send), (send, respond))
    return found


async def plain(request: Any) -> Any:
    return PlainTextResponse("hello", headers={"x-a": "b"})


def application(endpoint: Any = plain, **arguments: Any) -> Any:
    return Starlette(routes=[Route("/", endpoint)], **arguments)


def test_turbostar_hands_its_responses_over(calls: list[Any]) -> None:
    """An endpoint's response, one with a background task, a 404 and an exception's answer."""
    ran = []

    async def run() -> None:
        ran.append(1)

    async def json(request: Any) -> Any:
        return JSONResponse({"a": 1}, background=BackgroundTask(run))

    async def refused(request: Any) -> Any:
        raise HTTPException(418)

    for endpoint, status in ((plain, 200), (json, 200), (refused, 418)):
        heard = hear(OURS, application(endpoint), GET)
        assert heard.written.startswith(b"HTTP/1.1 %d " % status)
        assert calls.pop() is True
        assert not calls
    assert ran == [1]
    assert hear(OURS, application(), GET.replace(b"/ ", b"/none ")).written.endswith(b"Not Found")
    assert calls == [True]


class Wrapping:
    """Middleware of somebody's that wraps ``send``."""

    def __init__(self, app: Any, seen: list[str]) -> None:
        self.app, self.seen = app, seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def own(message: Any) -> None:
            self.seen.append(message["type"])
            await send(message)

        await self.app(scope, receive, own)


def test_a_wrapped_send_gets_messages(calls: list[Any]) -> None:
    """Whoever stands between hears all messages."""
    seen: list[str] = []
    heard = hear(OURS, Wrapping(application(), seen), GET)
    assert heard == hear(OURS, application(), GET)
    assert seen == ["http.response.start", "http.response.body"]
    assert calls == [True]


def test_a_replaced_send_gets_messages(calls: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracer may replace the method of the class."""
    seen = []
    stock = RequestResponseCycle.send

    async def traced(self: Any, message: Any) -> None:
        seen.append(message["type"])
        await stock(self, message)

    monkeypatch.setattr(RequestResponseCycle, "send", traced)
    assert hear(OURS, application(), GET).written.endswith(b"hello")
    assert seen == ["http.response.start", "http.response.body"]
    assert calls == []


def test_another_servers_send_gets_messages(calls: list[Any]) -> None:
    """On uvicorn's own class nothing is handed over."""
    assert hear(STOCK, application(), GET) == hear(OURS, application(), GET)
    assert calls == [True]


each_response = pytest.mark.parametrize(
    "make",
    [
        lambda cls: cls("hello"),
        lambda cls: cls(b"hello", 201, {"Content-Length": "5"}),
        lambda cls: cls("", 204),
        lambda cls: cls(memoryview(b"hello")),
        lambda cls: cls("hello", headers={"content-length": "9"}),
        lambda cls: cls("hello", headers={"x": "a\nb"}),
        lambda cls: cls("hello", headers={"connection": "close"}),
        lambda cls: cls("x" * 50_000),
        lambda cls: cls("hello", 700),
        lambda cls: cls("hello", headers={"transfer-encoding": "chunked"}),
    ],
)
each_method = pytest.mark.parametrize(
    "request_", [GET, GET.replace(b"GET", b"HEAD")], ids=["get", "head"]
)


@each_response
@each_method
def test_as_stock_answers(make: Callable[[Any], Any], request_: bytes) -> None:
    """Starlette on uvicorn and turbostar on ours, response by response."""

    def heard(side: Any, app: Any, route: Any, response: Any) -> Heard:
        async def endpoint(request: Any) -> Any:
            return make(response)

        return hear(side, app(routes=[route("/", endpoint)]), request_)

    ours = heard(OURS, Starlette, Route, Response)
    stock = heard(STOCK, StockStarlette, StockRoute, StockResponse)
    assert ours._replace(written=b"") == stock._replace(written=b"")
    if b"transfer-encoding" not in stock.written:
        assert ours.written == stock.written


@each_response
@each_method
@pytest.mark.parametrize("layers", [1, 2])
def test_as_stock_answers_below_middleware(
    make: Callable[[Any], Any], request_: bytes, layers: int
) -> None:
    """The same where a BaseHTTPMiddleware sends on what is below it."""

    def heard(side: Any, app: Any, route: Any, base: Any, response: Any) -> Heard:
        class AddHeader(base):  # type: ignore[misc]
            async def dispatch(self, request: Any, call_next: Any) -> Any:
                answer = await call_next(request)
                answer.headers["x-a"] = "b"
                return answer

        async def endpoint(request: Any) -> Any:
            return make(response)

        served = app(routes=[route("/", endpoint)])
        for _ in range(layers):
            served.add_middleware(AddHeader)
        return hear(side, served, request_)

    ours = heard(OURS, Starlette, Route, BaseHTTPMiddleware, Response)
    stock = heard(STOCK, StockStarlette, StockRoute, StockBaseHTTPMiddleware, StockResponse)
    assert ours._replace(written=b"") == stock._replace(written=b"")
    if b"transfer-encoding" not in stock.written:
        assert ours.written == stock.written


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start eagerly since Python 3.12")
def test_middleware_hands_its_response_over(calls: list[Any]) -> None:
    """In one call, unless something is due that would come between head and body on stock."""

    async def adds(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        if "busy" in request.url.query:
            asyncio.get_running_loop().call_soon(calls.append, "busy")
        response.headers["x-b"] = "c"
        return response

    app = application()
    app.add_middleware(BaseHTTPMiddleware, dispatch=adds)
    assert hear(OURS, app, GET).written.endswith(b"hello")
    assert calls == [True]
    calls.clear()
    assert hear(OURS, app, GET.replace(b"/ ", b"/?busy ")).written.endswith(b"hello")
    assert calls == ["busy"]


def test_a_body_that_is_a_property() -> None:
    """It is asked when the head was sent, as on stock."""

    class Late(Response):
        is_made = False

        @property
        def body(self) -> bytes:
            if self.is_made:
                raise LookupError("no body")
            return b"x"

        @body.setter
        def body(self, value: bytes) -> None:
            pass

    async def endpoint(request: Any) -> Any:
        response = Late("x")
        response.is_made = True
        return response

    heard = hear(OURS, application(endpoint), GET)
    assert heard.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.is_closed


def test_a_client_that_does_not_read_is_waited_for(calls: list[Any]) -> None:
    """While the transport takes no more the response is sent as messages, which wait."""

    async def run() -> None:
        protocol, wire = connect(OURS, application())
        protocol.pause_writing()
        protocol.data_received(GET)
        await turn()
        assert wire.written == b""
        protocol.resume_writing()
        await turn()
        assert wire.written.endswith(b"hello")
        assert calls == [False]

    asyncio.run(run())


def test_streams_are_sent_as_they_come(calls: list[Any]) -> None:
    """Nothing of a stream is kept back."""

    async def endpoint(request: Any) -> Any:
        async def pieces() -> Any:
            yield b"one"
            await asyncio.sleep(3600)

        return StreamingResponse(pieces())

    async def run() -> None:
        protocol, wire = connect(OURS, application(endpoint))
        protocol.data_received(GET)
        await turn()
        assert wire.written.endswith(b"3\r\none\r\n")
        wire.close()
        await turn()
        assert not protocol.server_state.tasks

    asyncio.run(run())
    assert calls == []
