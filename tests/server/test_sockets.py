"""Over real sockets, on both event loops: what clients do to a server, kind or not."""

from __future__ import annotations

import contextlib
import gc
import socket
import struct
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.apps import echo, hello, responding
from tests.server.served import LOOPS, Served, receive_all, serve
from tests.server.test_same_answers import REQUESTS
from tests.server.wire import OURS, STOCK, without_date
from turbostar.server.cycle import RequestResponseCycle

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"

pytestmark = pytest.mark.parametrize("loop", LOOPS)


@pytest.fixture
def ours(loop: str) -> Iterator[Served]:
    """A server with our class; no connection and no request is left behind."""
    with serve(OURS, echo, loop=loop) as served:
        yield served
        served.wait_until_idle()


def answers(data: bytes) -> int:
    return data.count(b"HTTP/1.1 200 OK\r\n")


@pytest.fixture
def pair(loop: str) -> Iterator[tuple[Served, Served]]:
    """Both classes, each in a server."""
    with serve(STOCK, echo, loop=loop) as stock, serve(OURS, echo, loop=loop) as ours:
        yield stock, ours


def test_same_bytes_on_the_wire(pair: tuple[Served, Served]) -> None:
    """All the requests of the other tests, the connection closed by a last one if it stays open."""
    for name, pieces in REQUESTS.items():
        if "close" in name or name == "many":
            continue
        found = []
        for served in pair:
            with served.connect() as client:
                for piece in pieces:
                    client.sendall(piece)
                client.sendall(LAST)
                found.append(without_date(receive_all(client)))
        if name.startswith("upgrade"):  # stock does not hear the last one
            continue
        if found[0].startswith(b"HTTP/1.1 200 OK\r\n") and b" 400 " in found[0]:
            continue  # an error in its turn, which is told of in test_closer
        assert found[1] == found[0], name


def test_ten_thousand_pipelined_requests(ours: Served) -> None:
    """All are answered, in order, while another client is served as well."""
    count = 10_000
    with ours.connect() as client, ours.connect() as other:
        client.setblocking(False)
        sent, received = 0, bytearray()
        data = b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(count))
        deadline = time.monotonic() + 60
        asked = False
        while received.count(b"HTTP/1.1 200 OK") < count and time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                sent += client.send(data[sent : sent + 65536]) if sent < len(data) else 0
            try:
                received += client.recv(1 << 20)
            except BlockingIOError:
                time.sleep(0.001)
            if not asked and received:
                asked = True
                other.sendall(LAST)
                assert answers(receive_all(other)) == 1
        paths = [int(part.split(b'"', 1)[0]) for part in bytes(received).split(b'"path": "/')[1:]]
        assert paths == list(range(count))


def test_a_client_that_vanishes_at_every_byte(ours: Served) -> None:
    """Closed or reset wherever: nothing is left, and others are served."""
    stream = GET + POST[:-3]
    for at in range(len(stream)):
        client = ours.connect()
        client.sendall(stream[: at + 1])
        if at % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert answers(ours.ask(LAST)) == 1


def test_a_client_that_vanishes_while_it_is_answered(loop: str) -> None:
    """Between any two bytes of a long answer; the application is told in `send` or `receive`."""
    app = responding(200, [], b"x" * 3_000_000, 300)
    with serve(OURS, app, loop=loop) as served:
        for size in (1, 100, 1_000, 100_000, 1_000_000):
            with served.connect() as client:
                client.sendall(GET)
                got = 0
                while got < size:
                    got += len(client.recv(min(65536, size - got)))
        served.wait_until_idle()


def test_drip(ours: Served) -> None:
    """A head and a body that come byte by byte."""
    with ours.connect() as client:
        for byte in POST + LAST:
            client.sendall(bytes([byte]))
        received = receive_all(client)
    assert answers(received) == 2
    assert b'"body": "0123456789"' in received


def test_half_closed(pair: tuple[Served, Served]) -> None:
    """A client that has ended its side gets what an application says at once."""
    for served in pair:
        with served.connect() as client:
            client.sendall(POST)
            client.shutdown(socket.SHUT_WR)
            assert answers(receive_all(client)) == 1
    for served in pair:
        with served.connect() as client:
            client.sendall(POST[:-1])  # and none if it has not asked
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        served.wait_until_idle()


@pytest.mark.parametrize("length", [b"content-length", b"x-length"])
def test_a_client_that_does_not_read(loop: str, length: bytes) -> None:
    """The application is made to wait, and goes on when the client reads."""
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        headers = [(length, b"20000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent += 1
        await send({"type": "http.response.body", "body": b""})

    with serve(OURS, app, loop=loop) as served, served.connect() as client:
        client.sendall(LAST)
        before = -1
        while sent != before:
            before = sent
            time.sleep(0.2)
        assert 0 < sent < 200
        assert receive_all(client).count(b"x") >= 20_000_000


def test_an_application_that_does_not_read(loop: str) -> None:
    """The client is made to wait, and the memory stays small."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        message = await receive()
        sizes.append(len(message["body"]))
        while message["more_body"]:
            message = await receive()
            sizes.append(len(message["body"]))
        await hello(scope, receive, send)

    seen: list[Any] = []
    sizes: list[int] = []
    size = 20_000_000
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    with serve(OURS, app, loop=loop) as served:
        assert answers(served.ask(head, b"x" * size)) == 1
    assert sum(sizes) == size
    assert max(sizes) < 1_000_000


def test_nothing_is_kept(loop: str) -> None:
    """Requests, connections and what hangs on them are freed by counting references."""
    kept: weakref.WeakSet[Any] = weakref.WeakSet()

    class Connection(OURS):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            kept.add(self)
            super().connection_made(transport)

    gc.collect()
    gc.disable()
    try:
        with serve(Connection, echo, loop=loop) as served:
            for stream in (LAST, POST + LAST, b"nonsense\r\n\r\n", GET + b"nonsense\r\n\r\n"):
                served.ask(stream)
            with served.connect() as client:
                client.sendall(POST[:-1])
            served.wait_until_idle()
            served.wait_until(lambda: len(kept) == 0)
            assert not [one for one in gc.get_objects() if type(one) is RequestResponseCycle]
    finally:
        gc.enable()
