"""Where the tests run: on an event loop that no request makes wait for ever, or on none."""

from __future__ import annotations

import asyncio
import importlib
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

from tests.clock import SimulatedLoop

#: Seconds after which a loop is stopped whose tasks can be neither awaited nor cancelled.
LIMIT = 60.0


class Hang(BaseException):
    """A request waits for what will never come."""


class _Selector(selectors.DefaultSelector):
    """Gives up after a time."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: float | None = time.monotonic() + LIMIT

    def select(self, timeout: float | None = None) -> Any:
        if self.ends is not None and time.monotonic() > self.ends:
            self.ends = None  # the rest is needed to clean up
            raise Hang("neither awaited nor cancelled")
        return super().select(LIMIT if timeout is None else timeout)


def _patient_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(_Selector())


def _stalled() -> None:
    raise Hang("nothing is left that could wake it")


def _jumping_loop() -> asyncio.AbstractEventLoop:
    return SimulatedLoop(on_stall=_stalled)


def run(
    work: Callable[[], Coroutine[Any, Any, Any]], backend: str | None, jumps: bool = False
) -> Any:
    """Run a coroutine function to its end: on an event loop, or, if it never waits, on none.

    Args:
        backend: "asyncio", "trio", or None for no loop.
        jumps: time goes to the next timeout once nothing else can happen; not for what uses
            threads, whose work would not be waited for.

    Raises:
        Hang: it waits for what will never come.
    """
    if backend is None:
        return _run_on_none(work())
    options: dict[str, Any] = {}
    if backend == "asyncio":
        options["loop_factory"] = _jumping_loop if jumps else _patient_loop
    elif jumps:
        options["clock"] = importlib.import_module("trio.testing").MockClock(autojump_threshold=0)
    else:
        # Its order of tasks is random on purpose; here it is the same for both sides.
        importlib.import_module("trio._core._run")._r.seed(0)
    return anyio.run(work, backend=backend, backend_options=options)


def _run_on_none(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("it waits: this needs an event loop")
