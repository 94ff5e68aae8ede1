"""Streaming without a task group: who is asked, who is not, and what is left behind."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
import starlette.responses

from turbostar._http import disconnect as _listening
from turbostar._http.disconnect import Race, can_race, until_disconnect
from turbostar._http.streaming import stream_response
from turbostar._http.tracked_send import TrackedSend
from turbostar.responses import StreamingResponse

SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}}
needs_eager_tasks = pytest.mark.skipif(sys.version_info < (3, 12), reason="no eager tasks")
PROTOCOLS = ["httptools_impl", "h11_impl"]


async def ready() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number


async def pausing() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number
        await asyncio.sleep(0)


async def never() -> Any:
    await asyncio.Event().wait()


class Sent(list[Any]):
    """A ``send`` that keeps what is sent through it."""

    async def __call__(self, message: Any) -> None:
        self.append(message.get("body", message["type"]))


EXPECTED = ["http.response.start", b"0", b"1", b"2", b""]


def run(work: Callable[[], Awaitable[Any]], **options: Any) -> Any:
    return anyio.run(work, backend_options=options)


class Transport:
    """The transport of a connection to nowhere."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.written += b"closed"


class Flow:
    """Flow control of a connection that is never congested, but once, if it is asked for."""

    write_paused = False

    def resume_reading(self) -> None:
        pass

    async def drain(self) -> None:
        await asyncio.sleep(0)


def cycle_of(protocol: str, **changes: Any) -> Any:
    """A request to uvicorn, whose body has arrived and whose answer goes nowhere."""
    module = importlib.import_module(f"uvicorn.protocols.http.{protocol}")
    logger = logging.getLogger("nobody")
    common = {
        "scope": {**SCOPE, "method": "GET", "path": "/", "query_string": b"", "headers": []},
        "transport": Transport(),
        "flow": Flow(),
        "logger": logger,
        "access_logger": logger,
        "access_log": False,
        "default_headers": [],
        "message_event": asyncio.Event(),
        "on_response": lambda: None,
    }
    if protocol == "h11_impl":
        h11 = importlib.import_module("h11")
        conn = h11.Connection(h11.SERVER)
        conn.receive_data(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        conn.next_event()
        conn.next_event()
        common["conn"] = conn
    else:
        common |= {"expect_100_continue": False, "keep_alive": True}
    cycle = module.RequestResponseCycle(**common)
    cycle.more_body = False
    cycle.message_event.set()
    for name, value in changes.items():
        setattr(cycle, name, value)
    return cycle


async def served(response_class: Any, protocol: str, chunks: Any, **changes: Any) -> bytes:
    cycle = cycle_of(protocol, **changes)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        leaving = chunks.__name__ == "leaving"
        content = chunks(cycle) if leaving else chunks()
        await response_class(content)(scope, receive, send)

    await cycle.run_asgi(app)
    return bytes(cycle.transport.written)


async def leaving(cycle: Any) -> AsyncIterator[bytes]:
    for number in range(9):
        yield b"%d" % number
        if number == 1:
            cycle.disconnected = True
            cycle.message_event.set()
        await asyncio.sleep(0)


def sync() -> Any:
    return ["a", "b"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("chunks", [ready, pausing, sync, leaving])
@pytest.mark.parametrize("changes", [{}, {"disconnected": True}], ids=repr)
def test_uvicorn_is_sent_the_same(protocol: str, chunks: Any, changes: Any) -> None:
    """Though its `receive` may not have been called."""

    async def work() -> None:
        stock = await served(starlette.responses.StreamingResponse, protocol, chunks, **changes)
        assert await served(StreamingResponse, protocol, chunks, **changes) == stock
        assert bool(stock) is not bool(changes)

    run(work)


@needs_eager_tasks
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_uvicorn_is_asked_only_by_a_stream_that_waits(protocol: str) -> None:
    """A request's message is still there after a stream that never waits."""

    async def work() -> None:
        for chunks, is_unread in ((ready, True), (pausing, False)):
            cycle = cycle_of(protocol)
            sent = Sent()
            await StreamingResponse(chunks())(SCOPE, cycle.receive, sent)
            assert sent == EXPECTED
            assert cycle.message_event.is_set() is is_unread

    run(work)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whose_receive_may_wait(protocol: str) -> None:
    """Uvicorn's own may, but not one that tells the client something, nor somebody's own."""

    async def work() -> None:
        cycle = cycle_of(protocol)
        assert _listening._may_be_late(cycle.receive)
        waiting = cycle_of(protocol, waiting_for_100_continue=True)
        assert not _listening._may_be_late(waiting.receive)

        class Own(type(cycle)):  # type: ignore[misc]
            async def receive(self) -> Any:
                return await super().receive()

        cycle.__class__ = Own
        assert not _listening._may_be_late(cycle.receive)

    run(work)


def test_a_wrapped_receive_of_uvicorn_may_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracer's wrapper says that it is what it wraps."""

    async def work() -> None:
        cycle = cycle_of("httptools_impl")
        original = type(cycle).receive

        @functools.wraps(original)
        async def traced(self: Any) -> Any:
            return await original(self)

        traced.__module__ = original.__module__
        monkeypatch.setattr(type(cycle), "receive", traced)
        assert not _listening._may_be_late(cycle.receive)

    run(work)


def test_overridden_methods_are_called() -> None:
    """Of a subclass, of an instance, and of Starlette's class if somebody patches it."""
    seen = []

    class Own(StreamingResponse):
        async def listen_for_disconnect(self, receive: Any) -> None:
            seen.append("listens")
            await super().listen_for_disconnect(receive)

    class Louder(StreamingResponse):
        async def stream_response(self, send: Any) -> None:
            seen.append("streams")
            await super().stream_response(send)

    async def work() -> None:
        changed = StreamingResponse(ready())

        async def listen(receive: Any) -> None:
            seen.append("listens itself")
            await never()

        async def stream(send: Any) -> None:
            seen.append("streams itself")
            await stream_response(changed_too, send)

        changed.listen_for_disconnect = listen  # type: ignore[method-assign]
        changed_too = StreamingResponse(ready())
        changed_too.stream_response = stream  # type: ignore[method-assign]
        for response in (Own(ready()), Louder(ready()), changed, changed_too):
            sent = Sent()
            await response(SCOPE, never, sent)
            assert sent == EXPECTED

    run(work)
    assert seen == ["listens", "streams", "listens itself", "streams itself"]


def test_a_patched_listener_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """As is what somebody puts into Starlette's class."""
    original = starlette.responses.StreamingResponse.listen_for_disconnect
    seen = []

    async def patched(self: Any, receive: Any) -> None:
        seen.append(self)
        await original(self, receive)

    monkeypatch.setattr(starlette.responses.StreamingResponse, "listen_for_disconnect", patched)
    response = StreamingResponse(ready())
    run(lambda: response(SCOPE, never, Sent()))
    assert seen == [response]


def test_awaitables_that_are_no_coroutines() -> None:
    """`stream_response` may be any callable that returns something to await."""

    class Own(StreamingResponse):
        def stream_response(self, send: Any) -> Any:
            return asyncio.ensure_future(super().stream_response(send))

    sent = Sent()

    async def work() -> None:
        await Own(ready())(SCOPE, never, sent)

    run(work)
    assert sent == EXPECTED


@pytest.mark.parametrize("chunks", [ready, pausing])
def test_task_factories_are_honoured(chunks: Any) -> None:
    """Whoever wants to see the tasks that are made sees these."""
    made = []

    def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
        made.append(coroutine.__name__)
        return asyncio.Task(coroutine, loop=loop, **options)

    async def work() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        sent = Sent()
        await StreamingResponse(chunks())(SCOPE, never, sent)
        assert sent == EXPECTED

    run(work)
    assert made[:2] == ["listen", "stream_response"]


@needs_eager_tasks
@pytest.mark.parametrize("chunks", [ready, pausing])
def test_eager_task_factories(chunks: Any) -> None:
    """Starlette runs under them, and so do we."""

    async def work() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        sent = Sent()
        await StreamingResponse(chunks())(SCOPE, never, sent)
        assert sent == EXPECTED

    run(work)


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop")
@pytest.mark.parametrize("chunks", [ready, pausing, sync])
def test_uvloop(chunks: Any) -> None:
    """Another loop, the same tasks."""
    pytest.importorskip("uvloop")

    async def work() -> None:
        sent = Sent()
        await StreamingResponse(chunks())(SCOPE, never, sent)
        assert sent[-1] == b""

    run(work, use_uvloop=True)


def test_where_there_is_no_task_of_asyncio() -> None:
    """On trio, and where nobody runs a loop, Starlette's own code is in charge."""

    async def on_trio() -> None:
        assert not can_race()

    anyio.run(on_trio, backend="trio")
    assert not can_race()


def test_where_anyio_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What we know of its inside is looked at once; if it is gone, the task group is back."""
    monkeypatch.setattr(_listening, "_knows_anyio", None)
    monkeypatch.setattr(_listening, "_BY_SCOPE", "Otherwise")

    async def work() -> None:
        assert not can_race()
        sent = Sent()
        await StreamingResponse(ready())(SCOPE, never, sent)
        assert sent == EXPECTED

    run(work)


def test_a_websocket_is_denied_by_a_stream() -> None:
    """Its messages are renamed, as by Starlette."""
    scope = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    sent = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    run(lambda: StreamingResponse(ready(), 403)(scope, never, send))
    assert sent == ["websocket.http.response.start"] + ["websocket.http.response.body"] * 4


def test_the_start_is_tracked_through_every_wrapper() -> None:
    """Whoever tracks the response knows that it has started before the first message is sent."""
    sent = []

    async def send(message: Any) -> None:
        sent.append((message["type"], outer.started, inner.started))

    outer = TrackedSend(send)
    inner = TrackedSend(outer.send)
    run(lambda: stream_response(StreamingResponse(ready()), inner.send))
    assert sent[0] == ("http.response.start", True, True)
    assert len(sent) == 5


async def gone() -> Any:
    await asyncio.sleep(0)
    return {"type": "http.disconnect"}


async def forever() -> AsyncIterator[bytes]:
    while True:
        yield b"more"
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("receive", "chunks"),
    [(never, ready), (never, pausing), (gone, ready), (gone, pausing), (gone, forever)],
)
def test_nothing_is_left_to_the_garbage_collector(receive: Any, chunks: Any) -> None:
    """Neither a task nor a reference cycle."""

    async def work() -> None:
        for _ in range(3):
            await StreamingResponse(chunks())(SCOPE, receive, Sent())
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not [thing for thing in gc.get_objects() if type(thing) is Race]

    gc.collect()
    gc.disable()
    try:
        run(work)
    finally:
        gc.enable()


def test_any_work_can_be_listened_beside() -> None:
    """It is cancelled when the client goes."""
    ended = []

    async def job() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def done() -> None:
        ended.append("done")

    async def work() -> None:
        await until_disconnect(gone, job())
        await until_disconnect(never, done())

    run(work)
    assert ended == ["cancelled", "done"]


def test_a_replaced_create_task_is_told_of_both_tasks() -> None:
    """Who wraps the loop's create_task, as monitors do, sees the tasks of a stream as on stock."""

    async def main(response: Any) -> int:
        loop: Any = asyncio.get_running_loop()
        original, told = loop.create_task, []

        def noting(coroutine: Any, **options: Any) -> Any:
            told.append(coroutine)
            return original(coroutine, **options)

        async def send(message: Any) -> None:
            """Takes whatever is sent."""

        loop.create_task = noting
        try:
            scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
            await response(scope, never, send)
        finally:
            del loop.create_task
        return len(told)

    assert asyncio.run(main(StreamingResponse(ready()))) == 2
