"""Putting other objects in place of what a container provides, for the time of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import AsyncGeneratorType, TracebackType
from typing import Any

from turbostar.di.handlers import Handler
from turbostar.di.keys import Key
from turbostar.di.teardown import Threaded, close, close_sync
from turbostar.di.wiring import Wiring

__all__ = ["Override"]


class Override:
    """A context manager, sync and async. Made by `Container.override`."""

    def __init__(
        self,
        wirings: list[Wiring],
        handlers: Sequence[Handler],
        values: dict[Key, Any],
        switch: Callable[[], None],
    ) -> None:
        self._wirings = wirings
        self._handlers = handlers
        self._values = values
        self._switch = switch
        self._wiring: Wiring | None = None

    def _begin(self) -> None:
        below = self._wirings[-1]
        self._wiring = Wiring(below.registry.overridden(self._values), below.names, below)
        self._wirings.append(self._wiring)
        self._switch()

    def _end(self) -> Wiring:
        wiring = self._wiring
        if wiring is None or self._wirings[-1] is not wiring:
            raise RuntimeError(
                "overrides end in another order than they began; end the last begun first"
            )
        self._wirings.pop()
        for handler in self._handlers:
            handler.forget(wiring)
        self._switch()
        self._wiring = None
        return wiring

    def __enter__(self) -> None:
        self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        wiring = self._end()
        waiting = [each for each in wiring.opened if type(each) in (AsyncGeneratorType, Threaded)]
        self._wirings[-1].opened.extend(waiting)
        wiring.drop()
        close_sync([each for each in wiring.opened if each not in waiting])

    async def __aenter__(self) -> None:
        self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        wiring = self._end()
        await close(wiring.opened)
        wiring.drop()
