"""The channel between an application and the `call_next` that runs it."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from anyio import ClosedResourceError

from turbostar._stages.channel import Channel
from turbostar._stages.protocol import Answer

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}


def channel() -> Channel:
    async def send(message: Any) -> None:
        raise AssertionError("nothing is sent on by a channel itself")

    return Channel(send, asyncio.get_running_loop())


async def exchanged(send: Any, take: Any, close: Any, pause: int) -> list[str]:
    """What happens in which order when an application sends and somebody takes."""
    log: list[str] = []

    async def application() -> None:
        for message in (START, MORE, BODY):
            await send(message)
            log.append(f"sent {message['type']}")

    task = asyncio.create_task(application())
    for _ in range(3):
        message = await take()
        log.append(f"took {message['type']}")
        for _ in range(pause):
            await asyncio.sleep(0)
    log.append("close")
    close()
    await task
    return log


@pytest.mark.parametrize("pause", [0, 1, 2, 5])
def test_messages_come_in_the_turns_of_a_memory_stream(pause: int) -> None:
    """Who sends waits as it does for a stream of anyio's that buffers nothing."""

    async def by_channel() -> list[str]:
        one = channel()
        return await exchanged(one.send, one.take, one.close, pause)

    async def by_stream() -> list[str]:
        sending, receiving = anyio.create_memory_object_stream[Any]()
        sent = anyio.Event()

        async def send(message: Any) -> None:
            await sending.send(message)
            if message is BODY:
                await sent.wait()

        with sending, receiving:
            return await exchanged(send, receiving.receive, sent.set, pause)

    assert asyncio.run(by_channel()) == asyncio.run(by_stream())


def test_an_answer_is_left_whole_or_taken_as_its_messages() -> None:
    """Whoever takes messages gets those of an answer, in the form that it is to be sent in."""

    async def main(in_pieces: bool) -> list[Any]:
        one = channel()
        await one.respond(Answer(201, [(b"a", b"b")], b"body", in_pieces))
        assert one.answer is not None
        one.end()
        found = []
        for _ in range(3 if in_pieces else 2):
            found.append(await one.take())
        return found

    start = {"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]}
    whole = {"type": "http.response.body", "body": b"body"}
    assert asyncio.run(main(False)) == [start, whole]
    end = {"type": "http.response.body", "body": b"", "more_body": False}
    assert asyncio.run(main(True)) == [start, {**whole, "more_body": True}, end]


def test_an_awaited_answer_waits_until_it_is_sent() -> None:
    """What is to follow the response follows its being sent."""

    async def main() -> list[str]:
        log: list[str] = []
        one = channel()

        async def application() -> None:
            await one.respond(Answer(200, [], b"", is_awaited=True))
            log.append("background")

        task = asyncio.create_task(application())
        await one.take()
        log.append("close")
        one.close()
        await task
        return log

    assert asyncio.run(main()) == ["close", "background"]


def test_an_application_that_ends_without_an_answer() -> None:
    """Who takes is told, and a second application cannot send any more."""

    async def main() -> None:
        one = channel()
        taking = asyncio.create_task(one.take())
        await asyncio.sleep(0)
        one.end()
        assert await taking is None
        with pytest.raises(ClosedResourceError):
            await one.send(START)

    asyncio.run(main())


def test_nothing_is_heard_once_the_response_was_sent() -> None:
    """Messages after that go nowhere, and keep nobody waiting."""

    async def main() -> None:
        one = channel()
        sending = asyncio.create_task(one.send(START))
        await asyncio.sleep(0)
        one.close()
        await sending
        await one.send(BODY)

    asyncio.run(main())


def test_a_sender_that_is_cancelled_takes_its_message_back() -> None:
    """Nobody takes what was not sent."""

    async def main() -> None:
        one = channel()
        sending = asyncio.create_task(one.send(START))
        for _ in range(2):
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        one.end()
        assert await one.take() is None

    asyncio.run(main())
