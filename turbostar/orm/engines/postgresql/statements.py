"""What an engine and a transaction on PostgreSQL do alike, each on its own connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from turbostar.orm.engines.interface import Decode, DecodeNamed, Statement
from turbostar.orm.engines.postgresql import running

__all__ = ["Statements"]


class Statements:
    """Statements of `turbostar.orm.engines.interface.Executor` that need no more than `_do`."""

    __slots__ = ()

    async def _do(self, sql: str, run: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Run something on the connection; what it raises is typed."""
        raise NotImplementedError

    async def fetch_named(
        self, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
    ) -> Any:
        return await self._do(statement.sql, running.fetch_named, statement, parameters, decode)

    async def execute(self, statement: Statement, parameters: Sequence[Any]) -> int:
        touched: int = await self._do(statement.sql, running.execute, statement, parameters)
        return touched

    async def execute_many(
        self,
        statement: Statement,
        rows: Iterable[Sequence[Any]],
        decode: Decode | None = None,
    ) -> Any:
        return await self._do(statement.sql, running.execute_many, statement, rows, decode)
