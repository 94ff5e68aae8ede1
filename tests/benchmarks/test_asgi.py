"""The driver of the in-process benchmarks."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from benchmarks.asgi import (
    ClientRequest,
    Receive,
    Scope,
    Send,
    Suspended,
    WrongAnswer,
    ask,
    driven,
    driven_on_loop,
    empty_app,
    settled,
)

_END = {"type": "http.response.body", "body": b"hello"}


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def _until_disconnect(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "http.request"
    listener = asyncio.create_task(receive())  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await _hello(scope, receive, send)
    assert await listener == {"type": "http.disconnect"}


def test_nothing_is_shared_between_scopes() -> None:
    """Each request gets a scope, headers and state of its own."""
    make_scope = ClientRequest(path="/a b", query=b"x=1").scopes()
    first, second = make_scope(), make_scope()
    assert first == second
    for key in ("headers", "state", "asgi"):
        assert first[key] is not second[key]
    assert (first["asgi"]["spec_version"], first["query_string"]) == ("2.3", b"x=1")


def test_a_batch_asks_as_often_as_it_is_told() -> None:
    """The work of a case is so many whole requests, each with its body."""
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append((await receive())["body"])
        await _hello(scope, receive, send)

    driven(app, ClientRequest(method="POST", body=b"in"), _END)(3)
    assert bodies == [b"in"] * 3


def test_waiting_without_a_loop_is_an_error() -> None:
    """A case that waits cannot pass for one that does not."""

    async def sleeping(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)

    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        await receive()

    for app in (sleeping, listening):
        with pytest.raises(Suspended):
            driven(app, ClientRequest(), None)(1)


def test_receive_on_a_loop_ends_with_the_answer() -> None:
    """`receive` waits until the answer is complete, and then tells of the disconnect."""
    with asyncio.Runner() as runner:
        driven_on_loop(_until_disconnect, ClientRequest(), _END, runner)(2)


def test_a_wrong_last_message_is_noticed() -> None:
    """Answers are compared while the time runs as well."""
    with pytest.raises(WrongAnswer), asyncio.Runner() as runner:
        driven_on_loop(empty_app, ClientRequest(), _END, runner)(1)
    with pytest.raises(WrongAnswer):
        driven(_hello, ClientRequest(), {**_END, "body": b"bye"})(1)


def test_a_websocket_session_is_given_in_order() -> None:
    """A session's messages arrive one by one, each a dict of its own."""
    session = ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hi"})
    received: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        received.extend([await receive(), await receive()])

    asyncio.run(ask(app, ClientRequest(websocket=session)))
    assert tuple(received) == session
    assert all(got is not sent for got, sent in zip(received, session, strict=True))


def test_an_answer_is_settled_to_what_a_client_can_tell() -> None:
    """Neither the cutting of a body nor its compression makes two answers different."""

    def answer(headers: list[tuple[bytes, bytes]], *bodies: bytes) -> list[dict[str, Any]]:
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        return [start, *({"type": "http.response.body", "body": body} for body in bodies)]

    assert settled(answer([], b"ab", b"c")) == settled(answer([], b"abc"))
    assert settled(answer([], b"ab")) != settled(answer([], b"abc"))
    encoded = (b"content-encoding", b"gzip")
    packed = [gzip.compress(b"abc" * 99, level) for level in (1, 9)]
    one, other = (
        settled(answer([encoded, (b"content-length", b"%d" % (len(body) + n))], body))
        for n, body in enumerate(packed)
    )
    assert one == other
    assert one[-1] == b"abc" * 99
