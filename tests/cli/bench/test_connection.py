"""The connections of the load against scripted servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.connection import LoadError, Round, Target
from turbostar.cli.bench.exchange import Exchange, expect

_Respond = Callable[[int, asyncio.StreamWriter], Awaitable[None]]
_Headers = tuple[tuple[bytes, bytes], ...]
_REQUEST = b"GET / HTTP/1.1\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


_HEADERS = ((b"content-length", b"2"),)


async def _loaded(respond: _Respond, headers: _Headers, *, tolerant: bool) -> Round:
    """Load a server that answers its n-th request by `respond` until it has had 60 of them."""
    asked, enough = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        try:
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                asked += 1
                if asked >= 60:
                    enough.set()
                await respond(asked, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    expected = expect(Answer(200, headers, b"ok", True), [])
    exchanges = [Exchange(name, (_REQUEST,), False, expected) for name in "01"]
    targets = [Target(index, exchange) for index, exchange in enumerate(exchanges)]
    round_ = Round(targets, 3, timeout=1.0, tolerant=tolerant)

    async def stop() -> None:
        await enough.wait()
        round_.stopping = True

    stopper = asyncio.create_task(stop())
    try:
        await round_.open(*server.sockets[0].getsockname())
        await round_.run(60.0)
    finally:
        stopper.cancel()
        round_.close()
        server.close()
        await server.wait_closed()
    return round_


def _run(respond: _Respond, headers: _Headers = _HEADERS, *, tolerant: bool = False) -> Round:
    with asyncio.Runner() as runner:
        return runner.run(_loaded(respond, headers, tolerant=tolerant))


def test_right_answers_in_one_piece() -> None:
    """Every right answer counts, with a latency each."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(_OK)

    assert len(_run(respond).latencies) >= 50


def test_right_answers_in_pieces_and_with_a_changing_date() -> None:
    """An answer may come byte by byte, and its date may change between and within answers."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        answer = _OK.replace(b"\r\n\r\n", b"\r\ndate: %d\r\n\r\n" % (number // 5))
        for start in range(0, len(answer), 7):
            writer.write(answer[start : start + 7])
            await asyncio.sleep(0)

    assert len(_run(respond).latencies) >= 50


def test_closed_connections_are_reopened() -> None:
    """`connection: close` is followed by a new connection."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(_OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
        writer.close()

    headers = ((b"connection", b"close"), *_HEADERS)
    assert len(_run(respond, headers).latencies) >= 50


def test_a_body_may_end_with_the_connection() -> None:
    """An answer without a length is complete when the server closes the connection."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\no")
        await writer.drain()
        writer.write(b"k")
        writer.close()

    assert len(_run(respond, ()).latencies) >= 50


@pytest.mark.parametrize(
    ("answer", "missing", "words"),
    [
        (_OK.replace(b"ok", b"no"), False, "body"),
        (_OK.replace(b"200", b"500"), False, "status 500 instead of 200"),
        (_OK + b"more", True, "bytes after the answer"),
        (b"nonsense nonsense", True, "not an HTTP/1.1 answer"),
        (_OK[:-1], True, "closed in the middle of the body"),
    ],
)
def test_a_wrong_answer_ends_the_round(answer: bytes, missing: bool, words: str) -> None:
    """The first wrong or missing answer ends the round and names the request and the cause."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        if number < 20:
            writer.write(_OK)
            return
        writer.write(answer)
        writer.close()

    with pytest.raises(LoadError, match=words) as caught:
        _run(respond)
    assert caught.value.missing is missing
    assert caught.value.name in {"0", "1"}


def test_a_connection_closed_after_an_answer_is_opened_again() -> None:
    """A server that hangs up unannounced, as uvicorn does after a request that raised, is asked
    again, and it counts for the request that it had answered."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(_OK)
        if number % 2:
            writer.close()

    round_ = _run(respond)
    assert len(round_.latencies) >= 50
    assert sum(round_.hung_up.values()) >= 20
    assert round_.hung_up.keys() <= {0, 1}


def test_a_new_connection_closed_without_an_answer_ends_the_round() -> None:
    """What a server does not answer on a connection of its own is not asked for ever."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        if number < 20:
            writer.write(_OK)
        else:
            writer.close()

    with pytest.raises(LoadError, match="closed without an answer") as caught:
        _run(respond)
    assert caught.value.missing


def test_an_answer_that_does_not_come_ends_the_round() -> None:
    """A server that falls silent is noticed."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        if number < 20:
            writer.write(_OK)

    with pytest.raises(LoadError, match="nothing within 1 s"):
        _run(respond)


def test_a_tolerant_round_collects() -> None:
    """For finding out what varies, wrong answers are collected, a status above a body."""

    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(_OK.replace(b"200", b"404") if number == 30 else _OK.replace(b"ok", b"no"))

    differing = _run(respond, tolerant=True).differing
    assert differing.keys() == {0, 1}
    assert sorted(cause.partition(" ")[0] for cause in differing.values()) == ["body", "status"]
