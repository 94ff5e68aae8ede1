"""Requests of one connection, answered one after the other, and how the connection ends."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task
from collections import deque
from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import Any

from uvicorn.server import ServerState

from turbostar._stages.tasks import start_eagerly
from turbostar.server.cycle import RequestResponseCycle
from turbostar.server.keep_alive import KeptAlive
from turbostar.server.serving import Serving

__all__ = ["Pipelined"]

# So many requests that have come at once are begun in one turn of the event loop.
_AT_ONCE = 16

Waiting = tuple[RequestResponseCycle, Any]  # a request, and the application that answers it


class Pipelined(KeptAlive):
    """The part of a connection that calls the application for one request after the other.

    Attributes:
        serving: what the connections of the server share.
        server_state: what uvicorn counts.
        cycle: the latest request, until the application has returned from it.
        answering: the request that was begun last, likewise. Others may wait behind it.
    """

    __slots__ = (
        "_after",
        "_context",
        "_is_beginning",
        "_is_left",
        "_next",
        "_parser",
        "_waiting",
        "answering",
        "cycle",
        "server_state",
        "serving",
    )

    def __init__(
        self,
        loop: AbstractEventLoop,
        timeout_keep_alive: float,
        serving: Serving,
        server_state: ServerState,
    ) -> None:
        super().__init__(loop, timeout_keep_alive)
        self.serving = serving
        self.server_state = server_state
        self.cycle: RequestResponseCycle | None = None
        self.answering: RequestResponseCycle | None = None
        self._next: Waiting | None = None
        self._waiting: deque[Waiting] | None = None
        # What is left to do when all requests are answered: to tell of an error, or an upgrade.
        self._after: Callable[[], None] | None = None
        self._context: Context | None = None  # which each request has a copy of
        self._parser: Any = None  # None when nothing more is to be read
        self._is_beginning = False
        self._is_left = False  # the transport is another protocol's

    @property
    def is_busy(self) -> bool:
        """Whether a request is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def wait_in_line(self, cycle: RequestResponseCycle, app: Any) -> None:
        """A request has come before those before it are answered: read no more for now."""
        self.pause_reading()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((cycle, app))

    def withdraw(self, cycle: RequestResponseCycle) -> None:
        """The latest request has turned out to be wrong: do not begin it, if there is time."""
        if self._next is not None and self._next[0] is cycle:
            self._next = self.cycle = None
        elif self._waiting and self._waiting[-1][0] is cycle:
            self._waiting.pop()
            before = self._waiting[-1] if self._waiting else self._next
            self.cycle = self.answering if before is None else before[0]

    def begin(self) -> None:
        """Begin the next request, and those behind it as long as they are answered at once.

        Each on top of the connection, where the loop lets tasks begin so; but not too many in one
        turn: what is left has to wait for its own.
        """
        loop, begun = self.loop, 0
        while self._next is not None:
            (cycle, app), self._next = self._next, None
            begun += 1
            self._is_beginning = begun < _AT_ONCE
            if not self.serving.begins_at_once(loop):
                self._start(cycle, app)
                continue
            self.answering = cycle
            cycle.is_beginning = True
            shared = self._context
            context = Context() if shared is None else shared.copy()
            task = start_eagerly(loop, cycle.run_asgi(app), context=context)
            cycle.is_beginning = False
            if cycle.held is not None:
                cycle.flush()
            if not task.done():
                self._count(task)
        self._is_beginning = False

    def _start(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Call the application in a task that waits for its turn."""
        self.answering = cycle
        create = self.loop.create_task
        self._count(self._new_context().run(create, cycle.run_asgi(app)))

    def _new_context(self) -> Context:
        """What is begun here knows nothing of what other requests have set."""
        return Context() if self._context is None else self._context.copy()

    def _count(self, task: Task[None]) -> None:
        tasks = self.server_state.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def on_response_complete(self, cycle: RequestResponseCycle) -> None:
        """A response is complete: go on to the next request, or wait for one."""
        self.server_state.total_requests += 1
        if not cycle.keep_alive:
            self.close()
        elif self._waiting:
            if not self.transport.is_closing():
                self._go_on(self._waiting)
        elif self._after is not None:
            self._new_context().run(self._after)
        else:
            if self.read_paused:
                self.resume_reading()
            self.idle_since = monotonic()
            if self.timer is None:
                self.run_timer(self.timeout_keep_alive)

    def _go_on(self, waiting: deque[Waiting]) -> None:
        following = waiting.popleft()
        if not waiting:
            self.resume_reading()
        if self._is_beginning:
            self._next = following
        else:
            self._start(*following)

    def finish(self, action: Callable[[], None]) -> None:
        """Do something once all requests are answered, and read nothing more."""
        self._parser = None
        if self.is_busy:
            self._after = action
            self.pause_reading()
        else:
            action()

    def shutdown(self) -> None:
        """The server is shutting down: answer what has been asked, and close."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            self.close()

    def close(self) -> None:
        """Close the connection, when what was written is sent."""
        if not self._is_left:
            self.drop()
            super().close()

    def drop(self) -> None:
        """There is nothing more to read, and nobody to answer."""
        self._parser = self._after = self._next = self._waiting = None
        self.end_idle()
        for cycle in (self.answering, self.cycle):
            if cycle is not None:
                cycle.disconnect()
        self.answering = self.cycle = None
        self.resume_writing()

    def leave(self) -> None:
        """Leave the transport to another protocol."""
        self.drop()
        self.resume_reading()
        self._is_left = True
