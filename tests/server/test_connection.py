"""What a connection does besides requests: waiting, ending, upgrading, and keeping things apart."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from uvicorn.config import Config

from tests.server.apps import echo, hello
from tests.server.served import LOOPS, receive_all, serve
from tests.server.wire import BOTH, OURS, STOCK, connect, hear, turn

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
POST_6 = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
WEBSOCKETS = ["websockets-sansio", "wsproto"]


class Clock:
    """Timers of an event loop that run when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.timers: list[Any] = []
        self.made = 0
        for module in ("keep_alive", "pipeline"):
            monkeypatch.setattr(f"turbostar.server.{module}.monotonic", lambda: self.now)

    def call_later(self, delay: float, call: Any) -> Any:
        self.made += 1
        clock = self

        class Timer:
            due = clock.now + delay

            def cancel(self) -> None:
                clock.timers.remove(self)

            def run(self) -> None:
                clock.timers.remove(self)
                call()

        self.timers.append(Timer())
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := sorted((t for t in self.timers if t.due <= until), key=lambda t: t.due):
            self.now = due[0].due
            due[0].run()
        self.now = until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_idle_connections_are_closed(clock: Clock) -> None:
    """After exactly so many seconds without a request, with one timer for many of these."""

    async def run() -> None:
        protocol, wire = connect(OURS, hello, timeout_keep_alive=5)
        asyncio.get_running_loop().call_later = clock.call_later  # type: ignore[assignment,method-assign]
        clock.advance(60)
        assert not wire.is_closed  # nor does stock close what has not asked yet
        for _ in range(40):
            protocol.data_received(GET)
            await turn(3)
            assert protocol.timeout_keep_alive_task is not None
            clock.advance(0.1)
        assert clock.made == 1
        clock.advance(4.8)
        assert not wire.is_closed
        clock.advance(0.1)
        assert wire.is_closed
        assert clock.timers == []

    asyncio.run(run())


def test_a_busy_connection_is_not_closed(clock: Clock) -> None:
    """Neither while a request is answered, nor while its head has not come; and then it is."""
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await go.wait()
        await hello(scope, receive, send)

    async def run() -> None:
        protocol, wire = connect(OURS, slow, timeout_keep_alive=5)
        asyncio.get_running_loop().call_later = clock.call_later  # type: ignore[assignment,method-assign]
        protocol.data_received(GET)
        await turn(3)
        protocol.data_received(GET.replace(b"/ ", b"/slow "))
        await turn(3)
        clock.advance(60)
        go.set()
        await turn(3)
        protocol.data_received(GET[:10])
        clock.advance(60)
        assert not wire.is_closed
        protocol.data_received(GET[10:])
        await turn(3)
        clock.advance(5)
        assert wire.is_closed
        assert wire.written.count(b" 200 OK") == 3

    asyncio.run(run())


def test_each_request_has_a_context_of_its_own() -> None:
    """What one sets the next does not see, on the same connection, pipelined or not."""
    mark: contextvars.ContextVar[int] = contextvars.ContextVar("mark", default=0)
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(mark.get())
        mark.set(mark.get() + 1)
        await receive()  # which may resume reading, in this context
        await hello(scope, receive, send)

    hear(OURS, app, GET + GET, GET, GET[:5], GET[5:] + GET * 20)
    assert seen == [0] * 24


def test_an_application_begins_in_a_task_of_its_own() -> None:
    """Also where it begins at once, so that cancelling and naming tasks works as ever."""
    tasks = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.current_task())
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
            await hello(scope, receive, send)

    hear(OURS, app, GET + GET)
    assert len(set(tasks)) == 2
    assert None not in tasks


def test_a_task_factory_makes_the_tasks() -> None:
    """Whoever has set one is asked, and so is a replaced ``create_task``."""
    made = []

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
            made.append(coroutine.__qualname__)
            return asyncio.Task(coroutine, loop=loop, **options)

        loop.set_task_factory(factory)
        protocol, wire = connect(OURS, hello)
        protocol.data_received(GET)
        assert made == ["RequestResponseCycle.run_asgi"]
        await turn()
        assert wire.written.endswith(b"hello")

    asyncio.run(run())


def test_an_answer_at_once_is_one_write() -> None:
    """Head and body are written together, also of a task that has waited, and of chunks."""

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await hello(scope, receive, send)

    async def chunks(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x"})

    async def run() -> None:
        for app in (hello, waiting, chunks):
            protocol, wire = connect(OURS, app)
            for count in range(1, 4):
                protocol.data_received(GET)
                await turn()
                assert len(wire.writes) == count

    asyncio.run(run())


@pytest.mark.parametrize("kind", [b"text/plain", b"text/event-stream; charset=utf-8"])
def test_a_head_does_not_wait_long(kind: bytes) -> None:
    """It is sent before the application waits for anything but `send`; one of events at once."""
    sizes = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for path in (1, 2):
            if path == 2 and scope["path"] == "/later":
                await asyncio.sleep(0)
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sizes.append(len(wires[-1].writes))
        await asyncio.sleep(3600)

    wires: list[Any] = []

    async def run() -> None:
        for path in (b"/now ", b"/later "):
            protocol, wire = connect(OURS, app)
            wires.append(wire)
            protocol.data_received(GET.replace(b"/ ", path))
            await turn(4)
            assert wire.written.endswith(b"\r\n\r\n")
            wire.close()
            for task in protocol.server_state.tasks:
                task.cancel()
            await turn(4)

    asyncio.run(run())
    assert sizes == [int(kind.startswith(b"text/event-stream"))] * 2


def test_trace_log(caplog: pytest.LogCaptureFixture) -> None:
    """The same lines at level trace."""
    found = []
    for side in BOTH:
        caplog.clear()
        hear(side, hello, LAST, level=5)
        lines = [(record.levelno, record.getMessage()) for record in caplog.records]
        found.append([line for line in lines if "HTTP connection" in line[1]])
    assert (
        found[0]
        == found[1]
        == [
            (5, "127.0.0.1:8001 - HTTP connection made"),
            (5, "127.0.0.1:8001 - HTTP connection lost"),
        ]
    )


def test_upgrade_waits_for_its_turn() -> None:
    """A websocket behind a request that is still answered begins when that is done."""
    go = asyncio.Event()
    kinds = []

    mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kinds.append(mark.get() + scope["type"])
        if scope["type"] == "http":
            mark.set("behind ")
            await go.wait()
            await hello(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def run() -> None:
        protocol, wire = connect(OURS, app, ws="websockets-sansio")
        protocol.data_received(GET + UPGRADE)
        await turn()
        assert kinds == ["http"]
        assert wire.written == b""
        go.set()
        await turn()
        assert kinds == ["http", "websocket"]
        first, _, second = wire.written.partition(b"hello")
        assert first.startswith(b"HTTP/1.1 200 ")
        assert second.startswith(b"HTTP/1.1 101 ")
        assert wire.protocol is not protocol
        assert protocol.timeout_keep_alive_task is None
        protocol.close()  # it is no longer ours
        assert not wire.is_closed
        wire.close()
        await turn()

    asyncio.run(run())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", WEBSOCKETS)
def test_websockets(kind: str, loop: str) -> None:
    """Messages go both ways with both implementations of uvicorn's, as on stock."""
    if kind == "wsproto":
        pytest.importorskip("wsproto")
    connecting = pytest.importorskip("websockets.sync.client").connect

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await hello(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": scope["path"] + message["text"]})

    for side in BOTH:
        with serve(side, app, loop=loop, ws=kind) as served:
            address = f"ws://127.0.0.1:{served.port}/chat"
            with connecting(address, open_timeout=20) as client:
                for text in ("a", "b"):
                    client.send(text)
                    assert client.recv() == f"/chat{text}"
            served.wait_until_idle()
            assert served.ask(LAST).endswith(b"hello")


@pytest.mark.parametrize("loop", LOOPS)
def test_graceful_shutdown(loop: str) -> None:
    """What is being answered is answered, and the connection closed then; idle ones at once."""
    begun, go = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["path"])
        while scope["path"] == "/slow" and not go:
            await asyncio.sleep(0.01)
        await hello(scope, receive, send)

    with serve(OURS, app, loop=loop) as served:
        idle, slow = served.connect(), served.connect()
        idle.sendall(GET)
        assert idle.recv(1000).endswith(b"hello")
        slow.sendall(GET.replace(b"/ ", b"/slow "))
        served.wait_until(lambda: len(begun) == 2)
        served.server.should_exit = True
        assert receive_all(idle) == b""
        go.append(1)
        answer = receive_all(slow)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close\r\n" in answer
        idle.close()
        slow.close()


def test_cancelled_at_the_end() -> None:
    """A request that takes too long is cancelled, and answered with an error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3600)

    for side in BOTH:
        with serve(side, app, timeout_graceful_shutdown=1) as served, served.connect() as client:
            client.sendall(GET)
            served.wait_until(lambda: len(served.server.server_state.tasks) == 1)
            served.server.should_exit = True
            assert receive_all(client).startswith(b"HTTP/1.1 500 ")


def test_limit_max_requests() -> None:
    """The server ends after so many requests."""
    with serve(OURS, hello, limit_max_requests=3) as served:
        for _ in range(3):
            assert served.ask(LAST).endswith(b"hello")
        served.wait_until(lambda: served.server.server_state.total_requests == 3)
        served.wait_until(lambda: not served.server.servers[0].is_serving())


def test_limit_concurrency() -> None:
    """Whoever comes too many is told so, as by stock, and may come again."""
    for side in BOTH:
        with serve(side, hello, limit_concurrency=2) as served:
            with served.connect() as first:
                first.sendall(GET)
                first.recv(1000)
                assert served.ask(GET).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            served.wait_until_idle()
            assert served.ask(LAST).endswith(b"hello")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")
def test_unix_socket(tmp_path: Path) -> None:
    """The same scope as on stock over a unix socket, and the same log."""
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append((scope["client"], scope["server"], scope["scheme"]))
        await hello(scope, receive, send)

    path = str(tmp_path / "s")
    for side in BOTH:
        with serve(side, app, uds=path), socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(LAST)
            assert receive_all(client).endswith(b"hello")
    assert scopes[0] == scopes[1]


def test_tls(tmp_path: Path) -> None:
    """Small and large answers, and bodies, over TLS on both event loops."""
    trustme = pytest.importorskip("trustme")
    import ssl

    authority = trustme.CA()
    pem = tmp_path / "cert.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    body = b"x" * 300_000
    post = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for loop in LOOPS:
        with serve(OURS, echo, loop=loop, ssl_certfile=str(pem)) as served:
            for request_, size in ((LAST, 0), (post, len(body))):
                with context.wrap_socket(served.connect(), server_hostname="localhost") as client:
                    client.sendall(request_)
                    answer = receive_all(client)
                assert b'"scheme": "https"' in answer
                assert answer.count(b"x") >= size
            served.wait_until_idle()


def test_class_is_found_by_name() -> None:
    """As in ``uvicorn --http turbostar.server:HttpProtocol``."""
    config = Config(hello, http="turbostar.server:HttpProtocol", log_config=None)
    config.load()
    assert config.http_protocol_class is OURS
    assert OURS is not STOCK


@pytest.mark.parametrize("split", [1, 2, 3, 6])
@pytest.mark.parametrize("busy", [0, 1, 3, 40])
@pytest.mark.parametrize("pause", [1, 2, 5, 50])
def test_a_body_in_pieces_while_the_application_is_busy(pause: int, busy: int, split: int) -> None:
    """It gets the same messages, and when all have come it waits for the client to go."""
    body = b"abcdef"
    pieces = [body[at : at + split] for at in range(0, len(body), split)]

    def told(protocol: Any) -> list[Any]:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            while True:
                seen.append(await receive())
                if seen[-1]["type"] == "http.disconnect":
                    break
                await turn(busy)

        async def run() -> None:
            _, wire = connect(protocol, app)
            for piece in (POST_6, *pieces):
                wire.protocol.data_received(piece)
                await turn(pause)
            await turn(400)
            seen.append("nothing more comes")
            wire.protocol.connection_lost(None)
            await turn(100)

        asyncio.run(run())
        return seen

    assert told(OURS) == told(STOCK)


def test_the_version_that_counts_is_the_request_s() -> None:
    """An application that changes it in its scope gets no other framing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["http_version"] = "1.0"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    assert hear(OURS, app, GET) == hear(STOCK, app, GET)


def test_messages_go_by_the_names_of_uvicorn() -> None:
    """Tracers name spans after them, and the transport is found where people look for it."""

    def seen(protocol: Any) -> list[Any]:
        names: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            for each in (receive, send):
                names.append((each.__name__, each.__qualname__, type(each.__self__).__name__))
            names.append(isinstance(send.__self__.transport, asyncio.Transport))
            await hello(scope, receive, send)

        hear(protocol, app, GET)
        return names

    assert seen(OURS) == seen(STOCK)
