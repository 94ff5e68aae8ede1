"""Runs one connection against one application, without a server, and records all that happened."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from tests import asgi
from tests.asgi import Ask
from tests.differential.loops import Hang
from tests.differential.observed import Outcome, overheard, plain, raised, without_frames

if TYPE_CHECKING:
    from tests.differential.world import World

#: Set by each endpoint; whether the caller sees it tells in which context the endpoint ran.
VISITED: ContextVar[str] = ContextVar("visited", default="nobody")
#: Seconds after which a request is taken to hang; none that does not waits for the clock.
PATIENCE = 20
#: How often others may go on before a request that waits for nothing but them counts as stuck.
TURNS = 150


class Client(asgi.Client):
    """A client that tells the world what is received and sent."""

    def __init__(self, ask: Ask, world: World) -> None:
        super().__init__(ask, world.awaited.setdefault(ask.leaves_when, anyio.Event()))
        self.world = world

    async def receive(self) -> dict[str, Any]:
        if not self.may_wait():  # when one that waits is asked is not settled
            self.world.tell("receive", self.pending and self.pending[0]["type"])
        return await super().receive()

    def may_wait(self) -> bool:
        return self.ask.stays or self.world.quiet

    async def send(self, message: Any) -> None:
        self.world.tell("client", message["type"])  # its content is in `sent`
        await super().send(message)

    def kept(self, message: Any) -> Any:
        kept = {key: self.world.labels.of(value) for key, value in message.items()}
        if "message" in kept:  # of a failed lifespan: a traceback, whose frames may differ
            kept["message"] = plain(message["message"]).strip().rpartition("\n")[2]
        return kept

    def has_sent(self, ends: bool) -> None:
        self.world.happens(f"sent {len(self.sent)}")
        if ends:
            self.world.happens("answered")


async def run_to_its_end(world: World, ask: Ask, call: Any) -> Any:
    """Await a request; one that is stuck is cancelled once nothing moves any more."""
    if world.backend is None:
        return await call
    if not ask.stuck:
        with anyio.move_on_after(PATIENCE) as hang:
            return await call
        if hang.cancelled_caught:
            raise Hang(f"{ask!r} after {world.log!r}")
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


def connect(world: World, ask: Ask) -> Client:
    """The client of a new connection, before which nothing has happened."""
    world.happened.clear()
    world.awaited.clear()
    world.quiet = False
    VISITED.set("nobody")
    return Client(ask, world)


async def drive(world: World, ask: Ask, *, alone: bool = True) -> Outcome:
    """Run one connection to its end.

    Args:
        alone: take down what is warned of and logged; not where several run at once.

    Returns:
        By kind of observation, plain data to compare.
    """
    client, scope = connect(world, ask), ask.scope()
    before, params = dict(scope), scope.get("path_params")
    start = len(world.log)
    error: BaseException | None = None
    returned = None
    with overheard() if alone else contextlib.nullcontext({}) as found:
        try:
            call = world.top(scope, client.receive, client.send)
            returned = await run_to_its_end(world, ask, call)
        except (Hang, GeneratorExit, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            error = exc
    log = world.log[start:]
    outcome = {
        "messages": without_frames(client.sent, world.debug),
        "exception": raised(error, depth=1, through=ask.stays),
        "traceback kept": None if error is None else error.__traceback__ is not None,
        "log": log,
        "returned": world.of(returned),
        "scope": {key: world.labels.of(value) for key, value in scope.items()},
        "scope order": [key for key in scope if key not in before],
        "path_params is the one given": params is not None and scope.get("path_params") is params,
        "pieces of the body": client.pieces,
        "context": VISITED.get(),
        "exception chain": raised(error, through=ask.stays),
        **found,
    }
    if isinstance(error, RecursionError) or "RecursionError" in repr(log):
        for kind in ("scope", "context", "log", "exception chain"):
            outcome[kind] = None  # how deep it came is up to the interpreter
    world.served = scope.get("route")
    if isinstance(scope.get("path_params"), dict):
        # What is one request's own must not show in anybody else's.
        scope["path_params"]["poison"] = True
    return outcome
