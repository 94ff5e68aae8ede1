"""An asyncio loop whose clock stands still while anything can run, and then jumps.

A sleep costs nothing, and two things planned for different moments happen in their order, however
many turns of the loop the code between them takes. That is what lets two implementations that
suspend differently often be compared.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable

import anyio.to_thread

__all__ = ["SimulatedLoop", "Spinning"]

_TURNS = 100_000  # of the loop, without any time going by: something spins
_RESOLUTION = 2**-10  # seconds; not so fine that adding it to a large time changes nothing
_THREAD = 30.0  # real seconds that work in a thread may take


class Spinning(RuntimeError):
    """Something keeps the loop busy without ever waiting, or a thread does not come back."""


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock to it.

    While work is done in a thread it does wait, for that work takes no time of the clock.
    """

    now = 0.0
    turns = 0
    on_stall: Callable[[], None] | None = None
    is_thread_busy: Callable[[], bool] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return at once; time has gone by if nothing else was left to do."""
        if timeout is not None and timeout <= 0:
            self.turns += 1
            if self.turns > _TURNS:
                self.turns = 0
                raise Spinning("the loop goes round and round, and the clock stands still")
            return super().select(0)
        if self.is_thread_busy is not None and self.is_thread_busy():
            if not (found := super().select(_THREAD)):
                raise Spinning(f"a thread has not come back for {_THREAD:.0f} s")
            return found
        if found := super().select(0):
            return found
        if timeout is not None:
            self.now += timeout
            self.turns = 0
        elif self.on_stall is not None:
            self.on_stall()
        else:
            return super().select(None)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop on a simulated clock.

    Args:
        on_stall: is called in place of waiting for ever; what it raises ends the loop's run.
    """

    def __init__(self, on_stall: Callable[[], None] | None = None) -> None:
        self._clock = _Selector()
        self._clock.on_stall = on_stall
        super().__init__(self._clock)
        self._clock_resolution = _RESOLUTION

    def time(self) -> float:
        """Seconds of the simulated clock."""
        return self._clock.now

    def watch_threads(self) -> None:
        """Let work in AnyIO's threads take no time; to be called in a task of this loop."""
        limiter = anyio.to_thread.current_default_thread_limiter()
        self._clock.is_thread_busy = lambda: limiter.borrowed_tokens > 0

    def when_stalled(self, call: Callable[[], object] | None) -> None:
        """Call this when nothing can run and nothing is planned: what waits would wait for ever."""

        def soon() -> None:
            if call is not None:
                self.call_soon(call)

        self._clock.on_stall = soon if call is not None else None
