"""The lifespan of an application, run as a server runs it."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["LONGEST", "Lifespan", "LifespanError", "last_line", "shutdown_failure"]

LONGEST = 120.0
"""Seconds that an application has to start, and to stop."""

_NO_FAILURE = _UNSUPPORTED, _STOPPED = "no lifespan", "started and stopped"


class LifespanError(Exception):
    """The application refused to start, or did not say that it had started."""


def shutdown_failure(outcome: str | None) -> str | None:
    """How an application failed to stop, of what `Lifespan.shutdown` says; None if it did not."""
    return None if outcome is None or outcome in _NO_FAILURE else outcome


class Lifespan:
    """Starts and stops one application; `state` is what it gives to its requests."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: str | None = None
        self._supported = True
        self._task: asyncio.Task[None] | None = None

    async def startup(self, *, timeout: float) -> None:
        """Wait until the application has started, `timeout` seconds at most.

        An application that raises without a word does not know the lifespan protocol; it is used
        without it.

        Raises:
            LifespanError: it failed to start or took longer.
        """
        self._task = asyncio.create_task(self._main())
        self._inbox.put_nowait({"type": "lifespan.startup"})
        await self._wait(self._started, "start", timeout)
        if self._failure is not None:
            raise LifespanError(self._failure)

    async def shutdown(self, *, timeout: float) -> str:
        """Stop the application and say in a few words how that went."""
        if not self._supported:
            return _UNSUPPORTED
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        try:
            await self._wait(self._stopped, "stop", timeout)
        except LifespanError as exc:
            return str(exc)
        if self._failure is not None:
            return f"failed to stop: {self._failure}"
        return _STOPPED

    async def _wait(self, event: asyncio.Event, what: str, timeout: float) -> None:
        try:
            await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            raise LifespanError(f"it did not {what} within {timeout:g} seconds") from None

    async def _main(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._inbox.get, self._send)
        except BaseException as exc:
            if self._started.is_set() and self._failure is None:
                self._failure = f"{type(exc).__name__}: {exc}"
            self._supported = self._failure is not None
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._started.set()
            case "lifespan.shutdown.complete":
                self._stopped.set()
            case "lifespan.startup.failed" | "lifespan.shutdown.failed":
                self._failure = last_line(message.get("message", ""))
                self._started.set()
                self._stopped.set()
            case other:
                raise RuntimeError(f"{other!r} is no message of the lifespan protocol")


def last_line(text: str) -> str:
    """The end of a traceback says what happened."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "no reason given"
