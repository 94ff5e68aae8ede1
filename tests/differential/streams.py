"""What a streamed response can meet: clients, bodies, connections, and callers that give up.

No application is described here, and it is not the client of `drive`: a story calls one response,
for clients that swallow cancellations, break or clean up, each in its own way.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from tests.differential.drive import VISITED
from tests.differential.observed import raised
from tests.differential.stream_bodies import BODIES

GONE = {"type": "http.disconnect"}
BODY = {"type": "http.request", "body": b"", "more_body": False}
CANCELLER = re.compile(r"(Cancelled via cancel scope \w+) by a task")


@dataclass(frozen=True)
class Story:
    """One streamed response.

    Attributes:
        client: what `receive` does.
        body: what is streamed.
        connection: what `send` does.
        caller: what becomes of the task that sends the response.
        spec: the version of ASGI that the server announces.
    """

    client: str
    body: str
    connection: str = "open"
    caller: str = "patient"
    spec: str = "2.3"


class Stage:
    """The state that the parts of a story share."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.log: list[Any] = []
        self.bodies = 0
        self.asked = 0
        self.two_sent = anyio.Event()

    async def receive(self) -> Any:
        self.asked += 1
        self.log.append("receive")
        try:
            message = await CLIENTS[self.story.client](self)
        except BaseException as exc:
            self.log.append(("receive ended by", type(exc).__name__))
            raise
        self.log.append(("received", message["type"]))
        return message

    async def send(self, message: Any) -> None:
        self.log.append(("send", *message.values()))
        if message["type"] == "http.response.body":
            self.bodies += 1
            if self.bodies == 2:
                self.two_sent.set()
        await CONNECTIONS[self.story.connection](self)

    def chunks(self) -> Any:
        return BODIES[self.story.body](self)


def raised_plainly(exc: BaseException) -> Any:
    """What is observable of an exception; who called for a cancellation is not."""

    def reduced(found: Any) -> Any:
        if isinstance(found, list):
            return [reduced(part) for part in found]
        return CANCELLER.sub(r"\1", found) if isinstance(found, str) else found

    return reduced(raised(exc))


CLIENTS: dict[str, Callable[[Stage], Any]] = {}
CONNECTIONS: dict[str, Callable[[Stage], Any]] = {}

# Those that only asyncio allows: who swallows a cancellation, or makes one up.
ASYNCIO_ONLY = {"swallowing", "swallowing once", "native", "stubborn", "timeout"}


async def wait_a_little() -> None:
    """Some turns of the event loop: to be cancelled in one of them, whichever it is."""
    for _ in range(3):
        await anyio.sleep(0)


def client(name: str) -> Any:
    return lambda function: CLIENTS.setdefault(name, function)


def connection(name: str) -> Any:
    return lambda function: CONNECTIONS.setdefault(name, function)


@client("staying")
async def _(stage: Stage) -> Any:
    await anyio.sleep_forever()


@client("staying, with a body")
async def _(stage: Stage) -> Any:
    if stage.asked > 2:
        await anyio.sleep_forever()
    return BODY


@client("gone")
async def _(stage: Stage) -> Any:
    return GONE


@client("gone, with a body")
async def _(stage: Stage) -> Any:
    return GONE if stage.asked > 1 else BODY


@client("going")
async def _(stage: Stage) -> Any:
    await stage.two_sent.wait()
    return GONE


@client("chatting, then going")
async def _(stage: Stage) -> Any:
    if stage.asked == 2:
        await stage.two_sent.wait()
    return BODY if stage.asked < 3 else GONE


@client("broken")
async def _(stage: Stage) -> Any:
    raise ValueError("cannot receive")


@client("breaking")
async def _(stage: Stage) -> Any:
    await stage.two_sent.wait()
    raise ValueError("cannot receive")


@client("cleaning up")
async def _(stage: Stage) -> Any:
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0)
            await anyio.sleep(0)
        stage.log.append("receive has cleaned up")


@client("cleaning up in vain")
async def _(stage: Stage) -> Any:
    try:
        await anyio.sleep_forever()
    finally:
        await wait_a_little()
        stage.log.append("never comes here")


@client("breaking in the end")
async def _(stage: Stage) -> Any:
    try:
        await anyio.sleep_forever()
    finally:
        raise ValueError("cannot clean up")


@client("in scopes")
async def _(stage: Stage) -> Any:
    with anyio.move_on_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(stage.two_sent.wait)
            await anyio.sleep_forever()


@client("shielded")
async def _(stage: Stage) -> Any:
    with anyio.CancelScope(shield=True), anyio.move_on_after(0.05):
        await stage.two_sent.wait()
        await anyio.sleep(0)
    stage.log.append("out of the shield")
    await anyio.sleep_forever()


@client("swallowing")
async def _(stage: Stage) -> Any:
    try:
        await anyio.sleep_forever()
    except asyncio.CancelledError:
        if stage.asked > 3:
            raise
        return BODY


@client("swallowing once")
async def _(stage: Stage) -> Any:
    with contextlib.suppress(asyncio.CancelledError):
        await anyio.sleep_forever()
    stage.log.append("swallowed")
    await anyio.sleep_forever()


@client("native")
async def _(stage: Stage) -> Any:
    await stage.two_sent.wait()
    future = asyncio.get_running_loop().create_future()
    future.cancel("nobody asked")
    await future


@connection("open")
async def _(stage: Stage) -> None:
    pass


@connection("slow")
async def _(stage: Stage) -> None:
    await anyio.sleep(0)


@connection("lost")
async def _(stage: Stage) -> None:
    if stage.bodies == 2:
        raise OSError("the connection is gone")


@connection("broken")
async def _(stage: Stage) -> None:
    raise RuntimeError("cannot send")


# Those that do something when two chunks have been sent, which is when callers are cancelled.
MOVING = {"going", "chatting, then going", "breaking", "native"}
THREADED = {"sync", "sync, breaking", "in threads"}
# Those that wait for something after two chunks.
WAITING = {
    *("pausing", "breaking", "breaking in the end", "shielded", "cleaning up", "stubborn"),
}
CANCELLING_TASKS = ("cancelled", "cancelled in the background")
CALLERS = ("patient", "handling", "cancelled in a scope", *CANCELLING_TASKS)


async def tell(response_class: Any, story: Story) -> Any:
    """Send a response; return all that could be observed, in its order."""
    stage = Stage(story)
    chunks = stage.chunks()
    try:
        return await _tell(response_class, stage, chunks)
    finally:
        if hasattr(chunks, "aclose"):
            with contextlib.suppress(Exception), anyio.CancelScope(shield=True):
                await chunks.aclose()


async def _tell(response_class: Any, stage: Stage, chunks: Any) -> Any:
    story, log = stage.story, stage.log
    background_runs = anyio.Event()

    async def background() -> None:
        log.append(("background", VISITED.get()))
        background_runs.set()
        await anyio.sleep(0)
        log.append("background is over")

    response = response_class(chunks, background=background)
    scope = {"type": "http", "asgi": {"spec_version": story.spec}}

    async def send_it() -> None:
        if story.caller != "handling":
            await response(scope, stage.receive, stage.send)
            return
        try:
            raise LookupError("being handled")
        except LookupError:
            await response(scope, stage.receive, stage.send)

    def returned(exc: BaseException | None) -> None:
        log.append(("returned", exc and raised_plainly(exc)))

    if story.caller == "cancelled in a scope":
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as outer:

                async def cancel() -> None:
                    await stage.two_sent.wait()
                    outer.cancel()

                group.start_soon(cancel)
                try:
                    await send_it()
                    returned(None)
                except Exception as exc:
                    returned(exc)
                except BaseExceptionGroup as exc:
                    returned(exc)  # of trio: one of them is its own cancellation
                except BaseException as exc:
                    returned(exc)
                    raise
            log = [*log, ("scope", outer.cancelled_caught)]
            stage.two_sent.set()
        return log
    if story.caller in ("patient", "handling"):
        try:
            await send_it()
            returned(None)
        except BaseException as exc:
            returned(exc)
            if not isinstance(exc, Exception | asyncio.CancelledError | BaseExceptionGroup):
                raise
        return [*log, ("context", VISITED.get())]
    task = asyncio.ensure_future(send_it())
    when = background_runs if story.caller == "cancelled in the background" else stage.two_sent
    waiting = asyncio.ensure_future(when.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    task.cancel("enough")
    try:
        await task
        returned(None)
    except asyncio.CancelledError:
        log.append("cancelled")  # by which of two that came at the same time, is up to chance
    except BaseException as exc:
        returned(exc)
    return [*log, ("cancelling", task.cancelling())]
