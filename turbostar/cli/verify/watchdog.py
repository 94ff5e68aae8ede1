"""Noticing that a request blocks the event loop, which no timeout of the loop can end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator

__all__ = ["watched"]

# Seconds beyond the timeout in which the loop cancels a request, and those in which it must answer.
_CANCEL_SECONDS = 1.0
_ANSWER_SECONDS = 1.0


@contextlib.contextmanager
def watched(timeout: float, tell: Callable[[str], None]) -> Iterator[None]:
    """While this is entered by the running loop, see that it is not blocked for long.

    If it is, once `timeout` seconds have passed, `tell` is called by another thread with the place
    where it is: " (file:line)", or nothing if that is not known.
    """
    loop, thread = asyncio.get_running_loop(), threading.get_ident()

    def look() -> None:
        answered = threading.Event()
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(answered.set)
            if not answered.wait(_ANSWER_SECONDS):
                tell(_place_of(thread))

    timer = threading.Timer(timeout + _CANCEL_SECONDS, look)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _place_of(thread: int) -> str:
    """The line that a thread is at, the last that is neither the library's nor installed."""
    paths = sysconfig.get_paths()
    foreign = (paths["stdlib"], paths["purelib"], paths["platlib"], "<")
    frame = sys._current_frames().get(thread)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(foreign):
            return f" ({frame.f_code.co_filename}:{frame.f_lineno})"
        frame = frame.f_back
    return ""
