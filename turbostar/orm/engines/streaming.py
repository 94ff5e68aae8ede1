"""Results that are read piece by piece.

Iterators by hand, and not generators: of a stream that nobody reads to its end Python closes each
generator in a task of its own, and those that wait for one another then meet in the middle.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from turbostar.orm.engines.interface import Decode, Engine, Parts, Statement, Transaction

__all__ = ["PartsAlone", "PartsWithin"]


class _Parts:
    """What the pieces of every result have in common: they end once, and then hold nothing."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._ended:
            raise StopAsyncIteration
        try:
            return await self._next()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Gives back what it holds."""
        if not self._ended:
            self._ended = True
            await self._end()

    async def _next(self) -> Any:
        """The next piece; StopAsyncIteration at the end."""
        raise NotImplementedError

    async def _end(self) -> None:
        raise NotImplementedError


class PartsWithin(_Parts):
    """Pieces that are read within a transaction, by a cursor of its own.

    Args:
        open_cursor: the first call.
        read: the next piece, in a list; None at the end.
        close: called once, at the end or before.
    """

    __slots__ = ("_close", "_cursor", "_open", "_read")

    def __init__(
        self,
        open_cursor: Callable[[], Awaitable[Any]],
        read: Callable[[Any], Awaitable[list[Any] | None]],
        close: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__()
        self._open = open_cursor
        self._read = read
        self._close = close
        self._cursor: Any = None

    async def _next(self) -> Any:
        if self._cursor is None:
            self._cursor = await self._open()
        part = await self._read(self._cursor)
        if part is None:
            raise StopAsyncIteration
        return part[0]

    async def _end(self) -> None:
        if self._cursor is not None and self._close is not None:
            self._close(self._cursor)


class PartsAlone(_Parts):
    """`Executor.stream` of an engine: in a transaction of its own, to the last piece."""

    __slots__ = ("_arguments", "_engine", "_parts", "_transaction")

    def __init__(
        self,
        engine: Engine,
        statement: Statement,
        parameters: Sequence[Any],
        chunk: int,
        decode: Decode,
    ) -> None:
        super().__init__()
        self._engine = engine
        self._arguments = (statement, parameters, chunk, decode)
        self._transaction: Transaction | None = None
        self._parts: Parts | None = None

    async def _next(self) -> Any:
        if self._transaction is None or self._parts is None:
            writes = self._arguments[0].writes
            self._transaction = await self._engine.begin(read_only=not writes)
            self._parts = self._transaction.stream(*self._arguments)
        try:
            return await anext(self._parts)
        except StopAsyncIteration:
            await self._transaction.commit()
            raise

    async def _end(self) -> None:
        try:
            if self._parts is not None:
                await self._parts.aclose()
        finally:
            if self._transaction is not None:
                await self._transaction.rollback()
