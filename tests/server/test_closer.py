"""Where the answer is another one than stock's, and closer to RFC 9110 and 9112.

Each test shows what both do, so that it fails when stock changes as well.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.server.apps import echo, hello, responding, sending
from tests.server.wire import BOTH, OURS, STOCK, Heard, connect, hear, turn

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body", "body": b"abc"}
OLD = b"GET / HTTP/1.0\r\n\r\n"


def both(app: Any, *pieces: bytes, **options: Any) -> tuple[Heard, Heard]:
    """What stock and what ours says."""
    stock, ours = (hear(side, app, *pieces, **options) for side in BOTH)
    return stock, ours


def test_an_error_waits_for_its_turn() -> None:
    """A client that pipelines gets the answer to its first request first, and then the error.

    Stock sends the error in place of the answer.
    """
    stock, ours = both(hello, GET + b"nonsense\r\n\r\n")
    assert stock.written.startswith(b"HTTP/1.1 400 ")
    assert ours.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert ours.written.count(b"HTTP/1.1 400 Bad Request\r\n") == 1
    assert ours.is_closed


def test_an_error_waits_for_a_slow_answer() -> None:
    """The same where the application waits."""
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await hello(scope, receive, send)

    async def run() -> bytes:
        protocol, wire = connect(OURS, waiting)
        protocol.data_received(GET + GET)
        protocol.data_received(b"nonsense\r\n\r\n")
        await turn()
        assert wire.written == b""
        go.set()
        await turn()
        assert wire.is_closed
        return wire.written

    written = asyncio.run(run())
    assert [part[:3] for part in written.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


def test_no_error_within_an_answer() -> None:
    """A body that turns out to be wrong while it is answered ends the connection, and no more.

    Stock sends its error as a part of that answer.
    """

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({**BODY, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    stock, ours = both(streaming, head, b"zz\r\n")
    assert b"3\r\nabc\r\nHTTP/1.1 400 Bad Request" in stock.written
    assert ours.written.endswith(b"3\r\nabc\r\n")
    assert ours.is_closed
    assert ours.tasks == 0


def test_no_second_answer_to_one_request() -> None:
    """Nor is there an error behind the answer to the request whose body is wrong."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    stock, ours = both(hello, head, b"zz\r\n")
    assert stock.written.count(b"HTTP/1.1 ") == 2
    assert ours.written.count(b"HTTP/1.1 ") == 1
    assert ours.is_closed


def test_a_wrong_body_is_not_begun() -> None:
    """A request that is known to be wrong when it comes is refused, and no application called."""
    called = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope["path"])
        await echo(scope, receive, send)

    request_ = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    for side, calls in ((OURS, 0), (STOCK, 1)):
        assert hear(side, app, request_).written.startswith(b"HTTP/1.1 400 ")
        assert len(called) == calls


def test_an_unread_body_that_waits_for_word() -> None:
    """An answer in place of 100 Continue ends the connection (RFC 9110, 10.1.1).

    On stock nobody could tell whether the body or another request comes next.
    """
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    stock, ours = both(hello, head)
    assert not stock.is_closed
    assert b"connection: close\r\n" in ours.written
    assert ours.is_closed


def test_old_clients_know_no_chunks_nor_interim_answers() -> None:
    """To HTTP/1.0 a body of unknown length ends with the connection (RFC 9112, 6.1)."""
    app = sending(START, {**BODY, "more_body": True}, BODY)
    stock, ours = both(app, OLD)
    assert b"transfer-encoding: chunked\r\n" in stock.written
    assert ours.written == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcabc"
    told = {**START, "headers": [(b"transfer-encoding", b"chunked")]}
    assert both(sending(told, BODY), OLD)[1].written.endswith(b"close\r\n\r\nabc")
    asked = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    stock, ours = both(echo, asked, b"x")
    assert stock.written.startswith(b"HTTP/1.1 100 Continue")
    assert ours.written.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("status", [204, 304, 103])
def test_responses_without_a_body(status: int) -> None:
    """What has no body gets none, nor word of chunks (RFC 9112, 6.3).

    What stock writes there is taken for the next answer.
    """
    headers = [(b"transfer-encoding", b"chunked")]
    app = sending({**START, "status": status, "headers": headers}, BODY)
    stock, ours = both(app, GET)
    assert stock.written.endswith(b"3\r\nabc\r\n0\r\n\r\n")
    head, _, body = ours.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"transfer-encoding" not in head
    assert body == b""


def test_a_304_may_tell_the_length_it_would_have() -> None:
    """So RFC 9110, 15.4.5, where stock misses the body, and ends the connection."""
    headers = [(b"content-length", b"100")]
    stock, ours = both(responding(304, headers), GET)
    assert stock.is_closed
    assert not ours.is_closed
    assert ours.logged == stock.logged[:1]


def test_a_head_request_is_answered_without_a_body() -> None:
    """Whatever becomes of the method in the scope."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["method"] = "GET"
        await hello(scope, receive, send)

    stock, ours = both(app, GET.replace(b"GET", b"HEAD"))
    assert stock.written.endswith(b"hello")
    assert ours.written.endswith(b"content-length: 5\r\n\r\n")


def test_one_way_to_tell_where_a_body_ends() -> None:
    """Never both a length and chunks, and never two lengths (RFC 9112, 6.2)."""
    both_ways = [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")]
    for headers in (both_ways, both_ways[::-1]):
        stock, ours = both(sending({**START, "headers": headers}, BODY), GET)
        assert b"content-length" in stock.written
        assert b"content-length" not in ours.written
        assert ours.written.endswith(b"3\r\nabc\r\n0\r\n\r\n")
    lengths = [(b"content-length", b"3"), (b"content-length", b"4")]
    stock, ours = both(sending({**START, "headers": lengths}, BODY), GET)
    assert b"content-length: 4" in stock.written
    assert ours.written == b""
    assert ours.logged[-1][2] == "RuntimeError('Response has more than one Content-Length.')"


def test_a_header_has_a_name() -> None:
    """An empty one is refused."""
    stock, ours = both(sending({**START, "headers": [(b"", b"x")]}, BODY), GET)
    assert b"\r\n: x\r\n" in stock.written
    assert ours.written == b""
    assert ours.is_closed


def test_a_trailer_is_no_header() -> None:
    """Trailers are dropped (RFC 9110, 6.5.1), where stock adds them to the headers of the scope."""
    request_ = (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        b"X-Forwarded-For: evil\r\nExpect: 100-continue\r\n\r\n"
    )
    stock, ours = both(echo, request_ + GET)
    assert b"evil" in stock.written
    assert b"evil" not in ours.written
    assert ours.written.count(b"HTTP/1.1 200 OK") == 2
    assert b"100 Continue" not in ours.written


def test_what_follows_a_declined_upgrade_is_heard() -> None:
    """A request that asked for what is unknown is answered, and so is the one behind it."""
    asking = b"GET /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    stock, ours = both(echo, asking + GET + asking + GET)
    assert stock.written.count(b"HTTP/1.1 200 OK") == 1
    assert ours.written.count(b"HTTP/1.1 200 OK") == 4
    warnings = [text for level, text, _ in ours.logged if level == "WARNING"]
    assert warnings == ["Unsupported upgrade request."] * 2


def test_a_head_without_end() -> None:
    """It is refused after a mebibyte, or what the option says; stock keeps all of it."""
    pieces = [b"GET / HTTP/1.1\r\nHost: a\r\n", *[b"A: " + b"x" * 65_000 + b"\r\n"] * 20]
    stock, ours = both(hello, *pieces)
    assert stock.written == b""
    assert ours.written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert ours.is_closed
    _, ours = both(hello, *pieces[:3], h11_max_incomplete_event_size=50_000)
    assert ours.written.startswith(b"HTTP/1.1 431 ")
    long_line = [b"GET /", *[b"x" * 65_000] * 20]
    assert both(hello, *long_line)[1].written.startswith(b"HTTP/1.1 431 ")
    trailer = [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"]
    trailer += [b"A: " + b"x" * 65_000 + b"\r\n"] * 20
    assert both(echo, *trailer)[1].written.startswith(b"HTTP/1.1 431 ")


def test_who_waits_behind_another_request_hears_of_the_end() -> None:
    """All of a connection's applications are told that the client has gone.

    Stock tells the latest request alone, and the one before it waits for ever.
    """
    waiting: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waiting.append(await receive())

    async def run(side: Any) -> int:
        protocol, wire = connect(side, app)
        protocol.data_received(GET + GET)
        await turn()
        wire.close()
        await turn()
        left = len(protocol.server_state.tasks)
        for task in list(protocol.server_state.tasks):
            task.cancel()
        await turn()
        return left

    assert asyncio.run(run(OURS)) == 0
    assert waiting == [{"type": "http.disconnect"}]
    assert asyncio.run(run(STOCK)) == 1
