"""Event loops for the tests: no request makes one wait for the clock, or for ever.

On one whose clock jumps, time goes to the next timeout once nothing else can happen. That is only
for what needs no other threads, whose work it would not wait for.
"""

from __future__ import annotations

import asyncio
import importlib
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

from tests.differential.drive import run

#: Seconds after which a loop is stopped whose tasks can be neither awaited nor cancelled.
LIMIT = 60.0
LIMIT_OF_JUMPS = 10.0


class Hang(BaseException):
    """A request waits for what will never come."""


class _Selector(selectors.DefaultSelector):
    """Gives up after a time; `ahead` are the seconds that it has jumped over."""

    def __init__(self, jumps: bool) -> None:
        super().__init__()
        self.jumps, self.ahead = jumps, 0.0
        self.ends: float | None = time.monotonic() + (LIMIT_OF_JUMPS if jumps else LIMIT)

    def select(self, timeout: float | None = None) -> Any:
        if self.ends is not None and time.monotonic() > self.ends:
            self.ends = None  # the rest is needed to clean up
            raise Hang("neither awaited nor cancelled")
        if timeout is None:
            timeout = LIMIT
        found = super().select(0 if self.jumps and timeout < LIMIT else timeout)
        if self.jumps and not found:
            self.ahead += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, jumps: bool) -> None:
        self._waiting = _Selector(jumps)
        super().__init__(self._waiting)

    def time(self) -> float:
        return super().time() + self._waiting.ahead


def run_on(backend: str, work: Callable[[], Coroutine[Any, Any, Any]], jumps: bool) -> Any:
    """Run a coroutine function to its end."""
    options: dict[str, Any] = {}
    if backend == "asyncio":
        options["loop_factory"] = lambda: _Loop(jumps)
    elif not jumps:
        return run(work, backend)
    else:
        clock = importlib.import_module("trio.testing").MockClock(autojump_threshold=0)
        options["clock"] = clock
    return anyio.run(work, backend=backend, backend_options=options)
