"""Request bodies are read as Starlette's are, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import starlette.requests
from hypothesis import given, strategies as st

import turbostar.requests

CLASSES = [starlette.requests.Request, turbostar.requests.Request]
SCOPE = {"type": "http", "method": "POST", "headers": []}

Message = dict[str, Any]

pieces = st.fixed_dictionaries(
    {"type": st.just("http.request")},
    optional={
        "body": st.sampled_from([b"", b"a", b"bc", None, bytearray(b"d"), "text"]),
        "more_body": st.sampled_from([False, True, None, 0, 1]),
    },
)
messages = st.lists(
    pieces | st.sampled_from([{"type": "http.disconnect"}, {"type": "http.unknown"}]), max_size=6
)
calls = st.lists(st.sampled_from(["body", "json", "stream", "is_disconnected"]), max_size=4)


class NoMoreMessages(Exception):
    pass


async def replay(request_class: Any, incoming: list[Message], todo: list[str]) -> list[Any]:
    """Make the calls one after the other, and tell what each gave and what it left behind."""
    waiting = [dict(message) for message in incoming]
    told: list[Any] = []

    async def receive() -> Message:
        if not waiting:
            raise NoMoreMessages
        return waiting.pop(0)

    request = request_class(SCOPE, receive)
    for call in todo:
        try:
            if call == "stream":
                told.append([chunk async for chunk in request.stream()])
            else:
                told.append(await getattr(request, call)())
        except Exception as error:
            told.append((type(error), str(error)))
        told.append(
            (
                len(waiting),
                getattr(request, "_body", None),
                request._stream_consumed,
                request._is_disconnected,
            )
        )
    return told


@given(messages, calls)
def test_any_messages_and_any_calls_give_what_stock_gives(
    incoming: list[Message], todo: list[str]
) -> None:
    """Values, errors, messages consumed and flags are stock's, for any sequence of calls."""
    theirs, ours = (asyncio.run(replay(cls, incoming, todo)) for cls in CLASSES)
    assert ours == theirs


async def bodies(make: Callable[[Any], Any]) -> list[bytes]:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"sent"}

    return [await make(cls)(SCOPE, receive).body() for cls in CLASSES]


def test_an_overridden_stream_is_read() -> None:
    """A subclass that has its own stream() has its own body."""

    def make(base: Any) -> Any:
        class Doubled(base):  # type: ignore[misc]
            async def stream(self) -> AsyncGenerator[bytes, None]:
                async for chunk in super().stream():
                    yield chunk * 2

        return Doubled

    assert asyncio.run(bodies(make)) == [b"sentsent"] * 2


@pytest.mark.parametrize("of_another_request", [False, True])
def test_a_stream_set_on_the_instance_is_read(of_another_request: bool) -> None:
    """What a test or a middleware puts in place of one request's stream counts."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"other"}

    async def stream() -> AsyncGenerator[bytes, None]:
        yield b"other"

    def make(base: Any) -> Any:
        def build(*args: Any) -> Any:
            request = base(*args)
            request.stream = base(SCOPE, receive).stream if of_another_request else stream
            return request

        return build

    assert asyncio.run(bodies(make)) == [b"other"] * 2


@pytest.mark.parametrize("body", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_the_body_is_bytes(body: Any) -> None:
    """Whatever kind of bytes a server sends, body() returns bytes."""

    async def read(cls: Any) -> bytes:
        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        found: bytes = await cls(SCOPE, receive).body()
        return found

    for cls in CLASSES:
        assert asyncio.run(read(cls)) == b"x"
        assert type(asyncio.run(read(cls))) is bytes
