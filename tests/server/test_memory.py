"""What is remembered of headers and paths stays small, and is remembered right."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.server.apps import echo, sending
from tests.server.wire import OURS, connect, hear, turn
from turbostar.server import heads, targets

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    heads.LINES.clear()
    targets.TARGETS.clear()


def answer(*headers: tuple[Any, Any]) -> Any:
    return sending(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"1"), *headers],
        },
        {"type": "http.response.body", "body": b"x"},
    )


def test_lines_are_made_once() -> None:
    """A header is checked when it is sent first."""
    hear(OURS, answer((b"X-A", b"b")), GET)
    line = heads.LINES[b"X-A", b"b"]
    assert line == b"x-a: b\r\n"
    hear(OURS, answer((b"X-A", b"b")), GET)
    assert heads.LINES[b"X-A", b"b"] is line


def test_no_more_than_so_many() -> None:
    """Values that are all different do not fill the memory."""
    for number in range(5000):
        heads.plain_line((b"etag", b"%d" % number))
        targets.split_target(b"/%d" % number)
    assert len(heads.LINES) <= 2048
    assert len(targets.TARGETS) <= 1024


@pytest.mark.parametrize(
    "header",
    [
        (b"set-cookie", b"session=1"),
        (b"x-a", b"x" * 257),
        (b"a:b", b"c"),
        (b"a", b"b\r\nc: d"),
        (b"", b"c"),
        (b"connection", b"keep-alive"),
        (b"transfer-encoding", b"gzip"),
        (b"content-type", b"text/event-stream"),
        (b"content-length", b"x"),
        (bytearray(b"a"), b"b"),
        ("a", "b"),
    ],
)
def test_what_is_not_remembered(header: Any) -> None:
    """What is long, secret, wrong, or decides how the body is sent."""
    for _ in range(2):
        hear(OURS, answer(header), GET)
        assert [key[0] for key in heads.LINES] == [b"content-length"]


def test_targets_are_remembered_without_their_query() -> None:
    """The same path is decoded once; a query may be secret."""
    first = hear(OURS, echo, GET.replace(b"/ ", b"/a%20b "))
    assert targets.TARGETS == {b"/a%20b": ("/a b", b"/a%20b", b"")}
    assert hear(OURS, echo, GET.replace(b"/ ", b"/a%20b ")) == first
    hear(OURS, echo, GET.replace(b"/ ", b"/c?token=d "))
    hear(OURS, echo, GET.replace(b"/ ", b"/" + b"x" * 200 + b" "))
    assert list(targets.TARGETS) == [b"/a%20b"]


def test_default_headers_follow() -> None:
    """uvicorn replaces them once a second; a change within them is noticed as well."""

    async def run() -> None:
        protocol, wire = connect(OURS, answer())
        state = protocol.server_state
        for headers in (
            [(b"a", b"1")],
            [(b"a", b"2")],
            [],
            [(b"connection", b"x")],
            [(b"c", b"3")],
        ):
            state.default_headers = headers
            protocol.data_received(GET)
            await turn(3)
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            assert wire.writes[-1] == b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 1\r\n\r\nx"
        state.default_headers.append((b"d", b"4"))
        protocol.data_received(GET)
        await turn(3)
        assert b"d: 4\r\n" in wire.writes[-1]

    asyncio.run(run())


def test_many_declined_upgrades_at_once() -> None:
    """As many as fit into what comes at once."""
    request_ = b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    heard = hear(OURS, answer(), request_ * 2000, turns=2000)
    assert heard.written.count(b"HTTP/1.1 200 OK") == 2000
