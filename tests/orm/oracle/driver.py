"""One task that does what it is told, on an event loop that lasts.

Transactions belong to a task and its context; so all steps of an example are taken by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Driver:
    """Runs coroutine functions, one after the other, in one task."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.orders: asyncio.Queue[Any] = asyncio.Queue()
        self.task = asyncio.get_running_loop().create_task(self._obey())

    async def _obey(self) -> None:
        while (order := await self.orders.get()) is not None:
            function, answer = order
            try:
                answer.set_result(await function())
            except Exception as exc:
                answer.set_exception(exc)

    async def _ask(self, function: Callable[[], Awaitable[T]]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.orders.put_nowait((function, answer))
        return await answer

    def do(self, function: Callable[[], Awaitable[T]]) -> T:
        """What it returns, or raises."""
        return self.runner.run(self._ask(function))

    def stop(self) -> None:
        """The task ends."""

        async def end() -> None:
            self.orders.put_nowait(None)
            await self.task

        self.runner.run(end())
