"""Closing connections that have been idle for too long, with one timer for each and not for each
request."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from time import monotonic

from turbostar.server.flow import FlowControlled

__all__ = ["KeptAlive"]


class KeptAlive(FlowControlled):
    """The part of a connection that closes it once it was idle for so many seconds.

    A timer that runs when a request comes is left alone. When it ends it closes the connection if
    there was none, and otherwise runs on for what is left of the time since the last one.

    Attributes:
        loop: the event loop.
        timeout_keep_alive: the seconds.
        timer: that runs, if one does.
        idle_since: when the last response was complete; None while there is work, or its beginning.
    """

    __slots__ = ("_timed_from", "idle_since", "loop", "timeout_keep_alive", "timer")

    def __init__(self, loop: AbstractEventLoop, timeout_keep_alive: float) -> None:
        super().__init__()
        self.loop = loop
        self.timeout_keep_alive = timeout_keep_alive
        self.idle_since: float | None = None
        self._timed_from: float | None = None
        self.timer: TimerHandle | None = None

    @property
    def timeout_keep_alive_task(self) -> TimerHandle | None:
        """The timer that will close the connection, if it is idle; under uvicorn's name for it."""
        return None if self.idle_since is None else self.timer

    def end_idle(self) -> None:
        """The connection is lost, or somebody else's from now on."""
        self.idle_since = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def run_timer(self, seconds: float) -> None:
        """Look again after so many seconds."""
        self._timed_from = self.idle_since
        self.timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """The timer has ended."""
        self.timer = None
        if self.idle_since is None:
            return
        left = self.idle_since + self.timeout_keep_alive - monotonic()
        if self._timed_from == self.idle_since or left <= 0:
            self.close()
        else:
            self.run_timer(left)

    def close(self) -> None:
        """Close the connection, when what was written is sent."""
        self.end_idle()
        if not self.transport.is_closing():
            self.transport.close()
