"""Counting the statements of a task, and refusing the one that is too many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from turbostar.orm.engines.interface import Decode, DecodeNamed, Executor, Parts, Statement, Step
from turbostar.orm.errors import TooManyQueries

__all__ = ["Counted", "Counter"]

# Of so many statements the text is kept, to be shown.
_SHOWN = 20


class Counter:
    """How many statements were sent in a block, and the first of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self.statements: list[str] = []

    def add(self, sql: str) -> None:
        self.count += 1
        if len(self.statements) < _SHOWN:
            self.statements.append(sql)
        if self.count > self.limit:
            raise TooManyQueries(self.text())

    def text(self) -> str:
        lines = "\n".join(f"  {n}. {sql}" for n, sql in enumerate(self.statements, 1))
        more = self.count - len(self.statements)
        return f"{self.count} statements where at most {self.limit} were expected:\n{lines}" + (
            f"\n  and {more} more" if more > 0 else ""
        )


class Counted:
    """An executor that counts what it hands on."""

    __slots__ = ("counter", "executor")

    def __init__(self, executor: Executor, counter: Counter) -> None:
        self.executor = executor
        self.counter = counter

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        self.counter.add(statement.sql)
        return await self.executor.fetch(statement, parameters, decode)

    async def fetch_named(
        self, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
    ) -> Any:
        self.counter.add(statement.sql)
        return await self.executor.fetch_named(statement, parameters, decode)

    async def execute(self, statement: Statement, parameters: Sequence[Any]) -> int:
        self.counter.add(statement.sql)
        return await self.executor.execute(statement, parameters)

    async def execute_many(
        self,
        statement: Statement,
        rows: Iterable[Sequence[Any]],
        decode: Decode | None = None,
    ) -> Any:
        self.counter.add(statement.sql)
        return await self.executor.execute_many(statement, rows, decode)

    async def copy_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        self.counter.add(f"COPY {table}")
        return await self.executor.copy_rows(table, columns, rows)

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        for statement, _, _ in steps:
            self.counter.add(statement.sql)
        return await self.executor.unit(steps)

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        self.counter.add(statement.sql)
        return self.executor.stream(statement, parameters, chunk, decode)
