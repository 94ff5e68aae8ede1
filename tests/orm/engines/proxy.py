"""A way to a server that can be cut: it hands bytes on until it is told otherwise."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["Proxy"]


class Proxy:
    """Listens on a port of its own, and connects each client to a server behind."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.open = True  # else connections are closed as soon as they come
        self.answers_left: int | None = None  # so many answers, and the line is cut
        self.passing = asyncio.Event()  # else bytes stay where they are, and nobody hears of it
        self.passing.set()
        self.port = 0
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Ends all connections at once, without a word to either side."""
        self.cuts += 1
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self.open:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._behind)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pipe(reader, back), self._answers(there, writer))
        finally:
            for each in (writer, back):
                each.transport.abort()
                self._writers.discard(each)

    async def _pipe(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self.passing.wait()
                target.write(data)
                await target.drain()
        except OSError:
            pass  # the line is cut
        target.transport.abort()

    async def _answers(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """From the server to the client, as long as there are answers left."""
        try:
            while data := await source.read(65536):
                await self.passing.wait()
                if self.answers_left is not None:
                    self.answers_left -= 1
                    if self.answers_left < 0:
                        # The server has done what it was asked for, and nobody hears of it.
                        self.answers_left = None
                        self.cut()
                        return
                target.write(data)
                await target.drain()
        except OSError:
            pass  # the line is cut
        target.transport.abort()
