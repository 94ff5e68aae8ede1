"""Many rows at once, which SQLite takes one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from turbostar.orm.engines.interface import Executor, Statement
from turbostar.orm.engines.quoting import quoted

__all__ = ["ROWS_AT_ONCE", "copy_by"]

# So many rows of `execute_many` go to the thread at once.
ROWS_AT_ONCE = 1000


class _Counted:
    """Rows, counted as they are taken."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self.rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self.rows:
            self.count += 1
            yield row


def _insertion(table: str, columns: Sequence[str]) -> Statement:
    """The statement that writes one row."""
    names = ", ".join(quoted(column) for column in columns)
    marks = ", ".join("?" * len(columns))
    return Statement(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", True, False)


async def copy_by(
    executor: Executor, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """`Executor.copy_rows`, by statements, for SQLite has nothing like COPY; return how many."""
    counted = _Counted(rows)
    await executor.execute_many(_insertion(table, columns), counted)
    return counted.count
