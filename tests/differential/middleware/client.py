"""The server's side of one connection, and a run of it that records all that happened."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from tests.differential.drive import Outcome, plain, told as told_warning
from tests.differential.middleware.clocks import Hang
from tests.differential.middleware.world import World, fault
from tests.differential.requests import Ask

#: Seconds after which a request is taken to hang; none that does not waits for the clock.
PATIENCE = 20
#: How often others may go on before a request that waits for nothing but them counts as stuck.
TURNS = 150


@dataclass(frozen=True, repr=False)
class Visit(Ask):
    """One connection.

    Attributes:
        spec: the server's version of the ASGI specification for HTTP.
        cut: the client is gone before the end of its body.
        leaves_at: the client is gone once it has had so many messages.
        leaves_when: the client is gone once this has happened.
        slow: `receive` and `send` of the server suspend, if only for a moment.
        stuck: on stock, the request never ends by itself.
    """

    spec: str = "2.3"
    cut: bool = False
    leaves_at: int | None = None
    leaves_when: str = "it never leaves"
    slow: bool = False
    stuck: bool = False

    def scope(self) -> dict[str, Any]:
        scope = super().scope()
        if "asgi" not in dict(self.extra):
            scope["asgi"] = {"version": "3.0", "spec_version": self.spec}
        return scope


class Client:
    """What the server gives the application: `receive` and `send`."""

    def __init__(self, visit: Visit, world: World) -> None:
        self.visit, self.world = visit, world
        self.sent: list[Any] = []
        self.pieces = 0
        self.gone = world.awaited.setdefault(visit.leaves_when, anyio.Event())
        self.pending = deque(self._messages())
        if visit.leaves or visit.cut:
            self.gone.set()

    def _messages(self) -> Iterator[dict[str, Any]]:
        if self.visit.type == "lifespan":
            yield {"type": "lifespan.startup"}
            yield {"type": "lifespan.shutdown"}
        elif self.visit.type == "websocket":
            yield {"type": "websocket.connect"}
            for text in self.visit.messages:
                yield {"type": "websocket.receive", "text": text}
            yield {"type": "websocket.disconnect", "code": 1000}
        else:
            last = len(self.visit.body) - 1
            for number, piece in enumerate(self.visit.body):
                more = self.visit.cut or number < last
                yield {"type": "http.request", "body": piece, "more_body": more}

    async def receive(self) -> dict[str, Any]:
        if self.visit.slow:
            await anyio.lowlevel.checkpoint()
        if self.pending:
            message = self.pending.popleft()
            self.pieces += message["type"] == "http.request"
            return message
        if not self.gone.is_set():
            await self.gone.wait()
        return {"type": "http.disconnect"}

    def _seen(self, value: Any) -> Any:
        if isinstance(value, memoryview):
            return f"memoryview of {bytes(value)!r}"
        return self.world.labels.of(value)

    async def send(self, message: Any) -> None:
        kind = message["type"]
        self.world.tell("client", kind)  # its content is in `sent`
        if self.visit.fails is not None and len(self.sent) >= self.visit.fails:
            raise OSError("the connection is gone")
        self.sent.append({key: self._seen(value) for key, value in message.items()})
        ended = kind.endswith(".body") and not message.get("more_body", False)
        if isinstance(message.get("headers"), list):
            # A server may do this; it must not show in anybody else's answer.
            message["headers"].append((b"x-poison", b"1"))
        if len(self.sent) == self.visit.leaves_at or ended or kind == "http.response.pathsend":
            self.gone.set()
        self.world.happens(f"sent {len(self.sent)}")
        if ended:
            self.world.happens("answered")
        if self.visit.slow:
            await anyio.lowlevel.checkpoint()


class Records(logging.Handler):
    """Who has logged a warning, and how it begins: what follows may name tasks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        says = plain(record.getMessage().partition("<")[0].partition("\n")[0])
        self.found.append((record.name, record.levelname, says))


@contextlib.contextmanager
def observed() -> Iterator[dict[str, Any]]:
    """What is warned of and logged meanwhile."""
    found: dict[str, Any] = {}
    records = Records()
    logging.getLogger().addHandler(records)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield found
    finally:
        logging.getLogger().removeHandler(records)
    # When something forgotten is collected is up to the collector.
    found["warnings"] = [
        told_warning(item) for item in caught if item.category is not ResourceWarning
    ]
    found["logged"] = records.found


async def run_to_its_end(world: World, visit: Visit, call: Any) -> Any:
    """Await a request; one that is stuck is cancelled once nothing moves any more."""
    if not visit.stuck:
        with anyio.move_on_after(PATIENCE) as hang:
            return await call
        if hang.cancelled_caught:
            raise Hang(f"{visit!r} after {world.log!r}")
    error: Exception | None = None
    left, ended = TURNS, False
    threads = anyio.to_thread.current_default_thread_limiter()

    async def go() -> None:
        nonlocal error, ended
        try:
            await call
        except Exception as exc:
            error = exc
        ended = True

    async with anyio.create_task_group() as group:
        group.start_soon(go)
        while left and not ended:
            before = len(world.log)
            await anyio.lowlevel.checkpoint()
            moves = len(world.log) > before or threads.borrowed_tokens
            left = TURNS if moves else left - 1
        if not ended:
            world.tell("client", "tired of waiting")
        group.cancel_scope.cancel()
    if error is not None:
        raise error
    return None


async def drive(world: World, visit: Visit) -> Outcome:
    """Run one connection to its end.

    Returns:
        By kind of observation, plain data to compare.
    """
    world.happened.clear()
    world.awaited.clear()
    client, scope = Client(visit, world), visit.scope()
    before = dict(scope)
    start = len(world.log)
    error: BaseException | None = None
    returned = None
    with observed() as found:
        try:
            call = world.top(scope, client.receive, client.send)
            returned = await run_to_its_end(world, visit, call)
        except (Hang, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            error = exc
    return {
        "messages": client.sent,
        "exception": fault(error),
        "log": world.log[start:],
        "returned": world.of(returned),
        "scope": {key: world.of(value) for key, value in scope.items()},
        "scope order": [key for key in scope if key not in before],
        "pieces of the body": client.pieces,
        **found,
    }
