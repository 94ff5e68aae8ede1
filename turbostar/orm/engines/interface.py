"""What an engine is: the seam between queries, which know no driver, and drivers.

The core hands over text, parameters and a function that decodes rows; an engine hands back what
that function made of them. Values cross the seam as the driver takes and gives them: turning them
into a column's type is the dialect's work (its value codecs), which the core builds into decoders.

A third engine passes ``tests/orm/engines``, which is written against nothing but this module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from turbostar.orm.engines.options import Where

__all__ = [
    "ISOLATIONS",
    "Decode",
    "DecodeNamed",
    "Engine",
    "Executor",
    "Isolation",
    "Parts",
    "Statement",
    "Step",
    "Transaction",
    "all_rows",
]

Isolation: TypeAlias = Literal["read committed", "repeatable read", "serializable"]
ISOLATIONS: tuple[str, ...] = ("read committed", "repeatable read", "serializable")

# All rows of a result, each a sequence by position, to whatever the caller wants. It may run in
# another thread (on SQLite it does), and must neither wait nor keep the list.
Decode: TypeAlias = Callable[[list[Any]], Any]
DecodeNamed: TypeAlias = Callable[[list[str], list[Any]], Any]


class Statement(msgspec.Struct, frozen=True, eq=False):
    """One SQL text and what an engine has to know of it. Made once for each plan.

    Args:
        sql: with placeholders of the dialect: ``?`` on SQLite, ``$1`` on PostgreSQL.
        writes: it may change something, or lock rows.
        returns_rows: it has a result, as SELECT or RETURNING do.
        cacheable: the prepared statement is worth keeping. False for text that is made anew each
            time.
        session: it may change the state of the session, as SET does: the connection is reset
            before somebody else gets it.
    """

    sql: str
    writes: bool
    returns_rows: bool
    cacheable: bool = True
    session: bool = False


Step: TypeAlias = tuple[Statement, Sequence[Any], Decode | None]


def all_rows(rows: list[Any]) -> list[Any]:
    """The `Decode` that leaves rows as the driver gives them: sequences by position."""
    return rows


class Parts(Protocol):
    """The pieces of a result; closed by whoever does not read them to their end."""

    def __aiter__(self) -> AsyncIterator[Any]:
        """Itself."""

    async def __anext__(self) -> Any:
        """The next piece."""

    async def aclose(self) -> None:
        """Gives back what it holds."""


class Executor(Protocol):
    """Runs statements: an engine (each call a unit of its own), or a transaction.

    Raises of all of them: what `turbostar.orm.errors` has under `DatabaseError`, and `QueryError`.
    A call that is cancelled leaves no connection checked out and no transaction open; a write
    under way may or may not have taken effect.
    """

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        """Runs a statement that returns rows; gives what `decode` makes of all of them."""

    async def fetch_named(
        self, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
    ) -> Any:
        """As `fetch`, for text not known before: `decode` gets the columns' names, too.

        Of a write that returns no rows it may get no names.
        """

    async def execute(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Runs a statement whose rows, if any, are of no interest; gives the count of rows touched.

        For a statement that touches none, as CREATE TABLE, that is 0.
        """

    async def execute_many(
        self,
        statement: Statement,
        rows: Iterable[Sequence[Any]],
        decode: Decode | None = None,
    ) -> Any:
        """Runs a statement once for each of `rows`: all of them take effect, or none.

        `rows` is read bit by bit, in the caller's task, and may be endless enough not to fit into
        memory. With `decode`, gives what it makes of all rows returned, in order; without, None.
        """

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        """Runs several statements in one go; if one of them writes, all take effect, or none.

        Gives for each what its `Decode` makes of its rows, or, without one, the count of rows.
        """

    async def copy_rows(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
    ) -> int:
        """Writes many rows by the fastest way the database has, in constant memory.

        `table` and `columns` are plain names, which the engine quotes (``schema.table`` is two).
        All rows take effect, or none. Gives their count; ids and defaults are not told.
        """

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        """Yields what `decode` makes of `chunk` rows at a time; memory stays constant.

        The rows are those of one moment. Close the iterator (``aclosing``, or its end) to give
        back what it holds.
        """


class Transaction(Executor, Protocol):
    """Statements that take effect together. Made by `Engine.begin`; ended exactly once.

    It may take its connection as late as its first statement. Statements of several tasks are
    run one after the other. After a statement has failed, or was cancelled, only `rollback` and
    `rollback_to` are possible, on every engine. After `commit` or `rollback` every call raises
    `TransactionError`; so does `commit` of what has failed, which rolls it back.
    """

    @property
    def open(self) -> bool:
        """Neither committed nor rolled back yet."""

    @property
    def committed(self) -> bool:
        """`commit` has succeeded, even if it was cancelled meanwhile."""

    async def savepoint(self, name: str) -> None:
        """Marks a point to go back to; `name` is an identifier that the caller has made."""

    async def release(self, name: str) -> None:
        """Forgets a savepoint and keeps what was done since."""

    async def rollback_to(self, name: str) -> None:
        """Undoes what was done since a savepoint, and forgets it."""

    async def commit(self) -> None:
        """Makes everything permanent. If cancelled meanwhile, it is carried to its end first."""

    async def rollback(self) -> None:
        """Undoes everything. Carried to its end, even if cancelled meanwhile; never raises."""


class Engine(Executor, Protocol):
    """One database. Belongs to the event loop that first uses it."""

    @property
    def where(self) -> Where:
        """What its URL says, and its options."""

    @property
    def dialect(self) -> Any:
        """How its SQL is written: an object of ``turbostar.orm.compiler``."""

    async def start(self) -> None:
        """Opens it, and the connections that are to be kept warm. Else the first use does."""

    async def close(self, timeout: float = 10.0) -> None:
        """Takes no more work, waits for what is under way, at most `timeout` seconds; then cuts."""

    async def check(self) -> None:
        """Asks the database for an answer; raises what is wrong."""

    async def begin(
        self, *, isolation: Isolation | None = None, read_only: bool = False
    ) -> Transaction:
        """A new transaction, beside all others that are open."""

    @property
    def in_use(self) -> int:
        """How many connections, or leases of one, are out at this moment."""
