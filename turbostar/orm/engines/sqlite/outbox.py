"""How finished work gets back to the event loop: many results, one wake-up.

A worker lays results down and rings when it has nothing else to do. On Linux the bell is an
eventfd, which costs two system calls where ``call_soon_threadsafe`` costs five and more.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import Any

__all__ = ["Outbox"]


class Outbox:
    """Results on their way from any number of threads to one event loop."""

    __slots__ = ("_bell", "_loop", "done")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # (future, result, error): a thread appends, the loop takes from the left.
        self.done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._bell: int | None = None
        # 50 µs for a get where call_soon_threadsafe takes 79 (benchmarks/orm: get by key)
        if hasattr(os, "eventfd"):
            bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            try:
                loop.add_reader(bell, self._rung)
            except NotImplementedError:
                os.close(bell)
            else:
                self._bell = bell

    def ring(self) -> None:
        """Has the loop fetch what is done. From any thread."""
        bell = self._bell
        if bell is not None:
            os.eventfd_write(bell, 1)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.deliver)

    def deliver(self) -> None:
        """Completes the futures of all that is done. In the loop."""
        done = self.done
        while done:
            future, result, error = done.popleft()
            if future.done():  # cancelled meanwhile
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def close(self) -> None:
        """No thread may ring any more."""
        self.deliver()
        bell, self._bell = self._bell, None
        if bell is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(bell)
            os.close(bell)

    def _rung(self) -> None:
        bell = self._bell
        if bell is not None:
            os.eventfd_read(bell)
            self.deliver()
