"""Both protocol classes write the same bytes, and log the same lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from tests.server.apps import echo, hello, responding, sending
from tests.server.wire import OURS, STOCK, hear
from turbostar._http.own_send import hand_over

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = (
    b"POST /c?d=e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nWiki\r\n6;x=y\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n"
)
EXPECT = (
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 4\r\n\r\n",
    b"body",
)

REQUESTS: dict[str, tuple[bytes, ...]] = {
    "get": (GET,),
    "head": (HEAD,),
    "post": (POST,),
    "post in two": (POST[:-2], POST[-2:]),
    "chunked": (CHUNKED,),
    "chunked in pieces": tuple(CHUNKED[at : at + 7] for at in range(0, len(CHUNKED), 7)),
    "expect": EXPECT,
    "expect, all at once": (b"".join(EXPECT),),
    "expect something else": (EXPECT[0].replace(b"100-Continue", b"200-ok"), EXPECT[1]),
    "one after the other": (GET, POST, GET),
    "pipelined": (GET * 3,),
    "pipelined with bodies": (POST + CHUNKED + POST + GET,),
    "many": (GET * 30,),
    "split between two": ((GET + POST)[:40], (GET + POST)[40:]),
    "http/1.0": (b"GET / HTTP/1.0\r\n\r\n",),
    "http/1.0 keep-alive": (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",),
    "close": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",),
    "close among others": (b"GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n",),
    "data after close": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" + GET,),
    "empty lines first": (b"\r\n\r\n" + GET,),
    "absolute": (b"GET http://a.example/b%20c?d HTTP/1.1\r\nHost: a\r\n\r\n",),
    "absolute without path": (b"GET http://a.example HTTP/1.1\r\nHost: a\r\n\r\n",),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",),
    "connect": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",),
    "percent": (b"GET /a%2Fb/%C3%A4?q=%20 HTTP/1.1\r\nHost: a\r\n\r\n",),
    "bad percent": (b"GET /%zz/%C3 HTTP/1.1\r\nHost: a\r\n\r\n",),
    "double slash": (b"GET //a//b HTTP/1.1\r\nHost: a\r\n\r\n",),
    "fragment": (b"GET /a?b#c?d HTTP/1.1\r\nHost: a\r\n\r\n",),
    "question marks": (b"GET /a??b?c HTTP/1.1\r\nHost: a\r\n\r\n",),
    "only a question": (b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n",),
    "no slash": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",),
    "not ascii": ("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".encode(),),
    "headers": (b"GET / HTTP/1.1\r\nA: 1\r\na: 2\r\nEmpty:\r\nSpaces:  x y \t\r\n\r\n",),
    "header not ascii": (b"GET / HTTP/1.1\r\nA: \xe4\xff\r\n\r\n",),
    "long header": (b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",),
    "forwarded": (b"GET / HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: ::1\r\n\r\n",),
    "upgrade to what is unknown": (
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ),
    "no method": (b"G?T / HTTP/1.1\r\n\r\n",),
    "small letters": (b"get / HTTP/1.1\r\n\r\n",),
    "no version": (b"GET /\r\n\r\n",),
    "http/2": (b"GET / HTTP/2.0\r\n\r\n",),
    "http/3 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",),
    "space in target": (b"GET /a b HTTP/1.1\r\n\r\n",),
    "null in target": (b"GET /\x00 HTTP/1.1\r\n\r\n",),
    "null in name": (b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n",),
    "null in value": (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",),
    "space before colon": (b"GET / HTTP/1.1\r\nA : b\r\n\r\n",),
    "obs-fold": (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",),
    "bare lf": (b"GET / HTTP/1.1\nA: b\n\n",),
    "bare cr": (b"GET / HTTP/1.1\r\nA: b\rB: c\r\n\r\n",),
    "no colon": (b"GET / HTTP/1.1\r\nabc\r\n\r\n",),
    "length and chunked": (
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",),
    "equal lengths": (b"POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",),
    "length list": (b"POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\nbody",),
    "signed length": (b"POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\nbody",),
    "negative length": (b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\nbody",),
    "hexadecimal length": (b"POST / HTTP/1.1\r\nContent-Length: 0x4\r\n\r\nbody",),
    "huge length": (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nbody",),
    "chunked twice": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",),
    "chunked not last": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",),
    "another coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",),
    "chunked in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",),
}


@pytest.mark.parametrize("app", [echo, hello], ids=["echo", "hello"])
@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str, app: Any) -> None:
    """Whatever is asked, well formed or not: same bytes, same end, same log."""
    if (name, app) == ("expect", hello):
        pytest.skip("told apart in test_closer")
    pieces = REQUESTS[name]
    ours, stock = hear(OURS, app, *pieces), hear(STOCK, app, *pieces)
    if (name, app) == ("another coding", hello):
        # Stock calls the application for what it has refused already, and drops its answer.
        assert stock.logged.pop()[0] == "INFO"
    assert ours == stock


START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body", "body": b"abc"}
MORE = {**BODY, "more_body": True}
LENGTH_3 = {**START, "headers": [(b"content-length", b"3")]}


async def failing(scope: Any, receive: Any, send: Any) -> None:
    """Fails before it has sent anything."""
    raise ValueError("before")


async def failing_later(scope: Any, receive: Any, send: Any) -> None:
    """Fails in the middle of its answer."""
    await send(START)
    await send(MORE)
    raise ValueError("after")


async def failing_behind(scope: Any, receive: Any, send: Any) -> None:
    """Fails when it has answered."""
    await hello(scope, receive, send)
    raise ValueError("behind")


async def leaving(scope: Any, receive: Any, send: Any) -> None:
    """Raises what is no Exception."""
    raise KeyboardInterrupt


async def receiving_on(scope: Any, receive: Any, send: Any) -> None:
    """Asks for messages behind its answer, and tells of them in the next one's header."""
    await receive()
    await hello(scope, receive, send)
    assert await receive() == {"type": "http.disconnect"}


APPS = {
    "nothing": sending(),
    "start only": sending(START),
    "no headers": sending(START, BODY),
    "chunked": sending(START, MORE, MORE, BODY),
    "chunked and empty": sending(START, MORE, {**MORE, "body": b""}, {**BODY, "body": b""}),
    "no body at all": sending(START, {"type": "http.response.body"}),
    "counted": sending(LENGTH_3, BODY),
    "counted in pieces": sending(
        {**START, "headers": [(b"content-length", b"6")]}, MORE, {**MORE, "body": b""}, BODY
    ),
    "too long": sending(LENGTH_3, MORE, BODY),
    "too short": sending({**START, "headers": [(b"content-length", b"4")]}, BODY),
    "start twice": sending(START, START),
    "body first": sending(BODY),
    "too many": sending(LENGTH_3, BODY, BODY),
    "unknown message": sending({"type": "http.response.trailers"}),
    "unknown message later": sending(START, {"type": "http.response.debug"}),
    "no type": sending({}),
    "no status": sending({"type": "http.response.start"}),
    "status unknown": sending({**START, "status": 999}, BODY),
    "status without a name": sending({**LENGTH_3, "status": 299}, BODY),
    "status as text": sending({**START, "status": "200"}, BODY),
    "text as a body": sending(LENGTH_3, {**BODY, "body": "abc"}),
    "text as a body, later": sending(LENGTH_3, {**BODY, "body": "abc", "more_body": True}),
    "text as a chunk": sending(START, {**BODY, "body": "abc"}),
    "memoryview": sending(LENGTH_3, {**BODY, "body": memoryview(b"abc")}),
    "bytearray": sending(LENGTH_3, {**BODY, "body": bytearray(b"abc")}),
    "bytearrays in chunks": sending(START, {**MORE, "body": bytearray(b"abc")}, BODY),
    "no body": sending(LENGTH_3, {**BODY, "body": None}),
    "no body in chunks": sending(START, {**BODY, "body": None}),
    "negative length": sending({**START, "headers": [(b"content-length", b"-3")]}, BODY),
    "returns something": sending(LENGTH_3, BODY, returns=1),
    "returns without answer": sending(returns=1),
    "upper case": sending({**START, "headers": [(b"Content-Length", b"3"), (b"X-A", b"B")]}, BODY),
    "lists": sending({**START, "headers": [[b"content-length", b"3"], [b"x-a", b"b"]]}, BODY),
    "bytearrays": sending({**START, "headers": [(bytearray(b"x-a"), bytearray(b"b"))]}, BODY),
    "iterator": sending({**START, "headers": iter([(b"content-length", b"3")])}, BODY),
    "text": sending({**START, "headers": [("x-a", "b")]}, BODY),
    "triple": sending({**START, "headers": [(b"x-a", b"b", b"c")]}, BODY),
    "bad length": sending({**START, "headers": [(b"content-length", b"x")]}, BODY),
    "length with a sign": sending({**START, "headers": [(b"content-length", b"+3")]}, BODY),
    "name with a colon": sending({**START, "headers": [(b"a:b", b"c")]}, BODY),
    "line in a name": sending({**START, "headers": [(b"a\r\nb", b"c")]}, BODY),
    "line in a value": sending({**START, "headers": [(b"a", b"b\r\nc: d")]}, BODY),
    "lf in a value": sending({**START, "headers": [(b"a", b"b\nc")]}, BODY),
    "null in a value": sending({**START, "headers": [(b"a", b"b\x00c")]}, BODY),
    "tab in a value": sending({**LENGTH_3, "headers": [(b"a", b"b\tc")]}, BODY),
    "latin in a value": sending({**LENGTH_3, "headers": [(b"a", b"\xe4")]}, BODY),
    "close": sending({**LENGTH_3, "headers": [(b"connection", b"x, Close")]}, BODY),
    "keep-alive": sending(
        {**LENGTH_3, "headers": [(b"connection", b"keep-alive"), (b"content-length", b"3")]}, BODY
    ),
    "chunked by itself": sending(
        {**START, "headers": [(b"transfer-encoding", b"Chunked"), (b"x-a", b"b")]}, MORE, BODY
    ),
    "another coding": sending({**START, "headers": [(b"transfer-encoding", b"gzip")]}, BODY),
    "events": sending(
        {**START, "headers": [(b"content-type", b"text/event-stream")]}, MORE, MORE, BODY
    ),
    "no content": sending({**START, "status": 204}, {**BODY, "body": b""}),
    "no content, with some": sending({**START, "status": 204}, BODY),
    "no content, counted": sending(
        {**START, "status": 204, "headers": [(b"content-length", b"0")]}, {**BODY, "body": b""}
    ),
    "not modified": sending({**START, "status": 304}, {**BODY, "body": b""}),
    "large": responding(200, [(b"content-length", b"100000")], b"x" * 100_000),
    "large in pieces": responding(200, [(b"content-length", b"100000")], b"x" * 100_000, 3),
    "large and chunked": responding(200, [], b"x" * 100_000, 2),
    "fails": failing,
    "fails later": failing_later,
    "fails behind": failing_behind,
    "leaves": leaving,
    "receives on": receiving_on,
}


#: Applications that end the connection when they have answered.
ENDING_BEHIND = ("too many", "returns something", "fails behind")


@pytest.mark.parametrize("request_", [GET, HEAD, GET + GET], ids=["get", "head", "two"])
@pytest.mark.parametrize("name", APPS)
def test_applications(name: str, request_: bytes) -> None:
    """Whatever an application does, right or wrong."""
    if name == "iterator":
        app = APPS[name]
        heads = [iter([(b"content-length", b"3")]) for _ in range(2)]
        pair = [sending({**START, "headers": head}, BODY) for head in heads]
        assert hear(OURS, pair[0], GET) == hear(STOCK, pair[1], GET)
        return
    app = APPS[name]
    ours, stock = hear(OURS, app, request_), hear(STOCK, app, request_)
    if request_ == GET + GET and name in ENDING_BEHIND:
        # What becomes of the second request, which can get no answer, is told apart.
        ours, stock = (each._replace(logged=each.logged[:2]) for each in (ours, stock))
    if (
        name.startswith("text as a") and request_ != HEAD
    ):  # the transport would tell it in words of its own
        assert ours.logged.pop()[2].startswith("TypeError(")
        assert stock.logged.pop()[2].startswith("TypeError(")
    assert ours == stock


OPTIONS: dict[str, dict[str, Any]] = {
    "headers": {"headers": [("Server", "mine"), ("X-Default", "y")]},
    "root path": {"root_path": "/root"},
    "no proxies": {"proxy_headers": False},
    "limit": {"limit_concurrency": 1},
    "asgi2": {"interface": "asgi2"},
    "no websockets": {"ws": "none"},
    "fresh context": {"reset_contextvars": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str) -> None:
    """Options of uvicorn's that a protocol heeds."""
    app: Any = echo
    if name == "asgi2":

        def app(scope: Any) -> Any:
            async def instance(receive: Any, send: Any) -> None:
                await echo(scope, receive, send)

            return instance

    upgrade = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    request_ = upgrade if name == "no websockets" else POST
    ours, stock = (hear(side, app, request_, **OPTIONS[name]) for side in (OURS, STOCK))
    assert ours == stock
    assert ours.written


_names = st.sampled_from([b"x-a", b"X-B", b"content-type", b"etag", b"x a", b"set-cookie", b"vary"])
_values = st.binary(max_size=6) | st.sampled_from([b"a", b"text/plain", b"no-cache, b", b"close"])
_headers = st.lists(st.tuples(_names, _values), max_size=4)


@given(
    status=st.sampled_from([200, 201, 206, 301, 400, 404, 500, 599]),
    headers=_headers,
    body=st.binary(max_size=40),
    length=st.sampled_from(["right", "none", "more", "less"]),
    pieces=st.integers(1, 4),
    method=st.sampled_from([b"GET", b"HEAD", b"POST"]),
    keep=st.sampled_from([b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"]),
)
def test_any_response(
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    length: str,
    pieces: int,
    method: bytes,
    keep: bytes,
) -> None:
    """Any status, headers, body, and right or wrong length, to any method."""
    assume(not any(name == b"x a" for name, _ in headers) or len(headers) < 3)
    sizes = {"right": len(body), "more": len(body) + 1, "less": max(0, len(body) - 1)}
    if length != "none":
        headers = [*headers, (b"content-length", b"%d" % sizes[length])]
    app = responding(status, headers, body, pieces)
    request_ = method + b" / HTTP/1.1\r\n" + keep + b"\r\n"
    assert hear(OURS, app, request_) == hear(STOCK, app, request_)


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=12).map(b"".join))
def test_any_target(target: bytes) -> None:
    """A target is split, decoded or refused alike."""
    assume(not set(target) & set(b" \r\n"))
    for lead in (b"/", b""):
        request_ = b"GET " + lead + target + b" HTTP/1.1\r\n\r\n"
        assert hear(OURS, echo, request_) == hear(STOCK, echo, request_)


def test_scopes_are_alike() -> None:
    """The scope has the same keys in the same order, and the extension."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await hello(scope, receive, send)

    for side in (STOCK, OURS):
        hear(side, app, GET.replace(b"/ ", b"/a?b "))
    stock, ours = seen
    assert ours.pop("extensions") == {"turbostar.response": {"hand_over": hand_over}}
    assert list(ours.items()) == list(stock.items())
