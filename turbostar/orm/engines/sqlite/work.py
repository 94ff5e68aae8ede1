"""The kinds of work that are done with a session, all of them within its thread.

A function of work takes the session and three arguments, whatever they are; it gives a result, or
raises an error of ``turbostar.orm.errors``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from turbostar.orm.engines.faults import failed_transaction
from turbostar.orm.engines.interface import Decode, DecodeNamed, Statement, Step
from turbostar.orm.engines.sqlite.session import Session
from turbostar.orm.errors import TransactionError

__all__ = [
    "Work",
    "ask",
    "begin_then",
    "close_cursor",
    "commit_whole",
    "execute",
    "execute_many",
    "fetch",
    "fetch_named",
    "many_within",
    "next_rows",
    "open_cursor",
    "roll_back",
    "roll_back_to",
    "savepoint",
    "script",
    "unit",
    "unit_within",
    "within",
]

Work: TypeAlias = Callable[[Session, Any, Any, Any], Any]

# What the driver raises for a statement or its values; decoders' own errors pass as they are.
_REFUSALS = (sqlite3.Error, OverflowError, ValueError)


def fetch(session: Session, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
    """Rows of one statement, decoded."""
    cursor = session.cursor
    try:
        rows = cursor.execute(statement.sql, parameters).fetchall()
    except _REFUSALS as error:
        raise session.fault(error, statement.sql, parameters) from error
    return decode(rows)


def fetch_named(
    session: Session, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
) -> Any:
    """Rows of one statement with the names of its columns, decoded."""
    cursor = session.cursor
    try:
        rows = cursor.execute(statement.sql, parameters).fetchall()
    except _REFUSALS as error:
        raise session.fault(error, statement.sql, parameters) from error
    return decode([column[0] for column in cursor.description or ()], rows)


def execute(session: Session, statement: Statement, parameters: Sequence[Any], _: Any) -> int:
    """One statement; the count of its rows."""
    cursor = session.cursor
    try:
        cursor.execute(statement.sql, parameters)
        # Rows are fetched to their end, or the rest of the work is not done.
        found = len(cursor.fetchall()) if statement.returns_rows else 0
        touched = max(found, cursor.rowcount)
    except _REFUSALS as error:
        raise session.fault(error, statement.sql, parameters) from error
    return touched if touched > 0 else 0  # -1 for what touches none


def many(
    session: Session,
    statement: Statement,
    rows: Sequence[Sequence[Any]],
    collect: bool,
) -> list[Any]:
    """One statement for each row, within a transaction; gives the rows returned, if wanted."""
    cursor = session.cursor
    returned: list[Any] = []
    before = session.connection.total_changes
    try:
        if not collect:
            cursor.executemany(statement.sql, rows)
        else:
            run = cursor.execute
            for row in rows:
                returned += run(statement.sql, row).fetchall()
    except _REFUSALS as error:
        # If each row has touched one, which only matters for what the error tells, it was this.
        row = rows[min(session.connection.total_changes - before, len(rows) - 1)]
        raise session.fault(error, statement.sql, row) from error
    return returned


def execute_many(
    session: Session,
    statement: Statement,
    rows: Sequence[Sequence[Any]],
    decode: Decode | None,
) -> Any:
    """`many` as a unit of its own."""
    returned = whole(session, "BEGIN IMMEDIATE", many, session, statement, rows, decode is not None)
    return None if decode is None else decode(returned)


def steps_of(session: Session, steps: Sequence[Step]) -> list[Any]:
    """Each step's result."""
    return [
        execute(session, statement, parameters, None)
        if decode is None
        else fetch(session, statement, parameters, decode)
        for statement, parameters, decode in steps
    ]


def unit(session: Session, steps: Sequence[Step], writes: bool, _: Any) -> list[Any]:
    """Several statements: all take effect or none, and all see the same rows."""
    if len(steps) < 2:
        return steps_of(session, steps)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    results: list[Any] = whole(session, begin, steps_of, session, steps)
    return results


def script(session: Session, sql: str, *_: Any) -> None:
    """A statement of our own: BEGIN, COMMIT, SAVEPOINT."""
    try:
        session.cursor.execute(sql)
    except sqlite3.Error as error:
        raise session.fault(error, sql) from error


def ask(session: Session, *_: Any) -> None:
    """Whether the file answers."""
    script(session, "SELECT count(*) FROM sqlite_master")
    session.cursor.fetchall()


def begin_then(
    session: Session, begin: Sequence[str], work: Work, arguments: tuple[Any, Any, Any]
) -> Any:
    """The first statement of a transaction, in one go with its BEGIN."""
    session.failed = None
    for sql in begin:
        script(session, sql)
    return within(session, work, arguments)


def within(session: Session, work: Work, arguments: tuple[Any, Any, Any], _: Any = None) -> Any:
    """A statement of a transaction. After one has failed, no other is run, as on PostgreSQL."""
    require_whole(session)
    try:
        return work(session, *arguments)
    except BaseException as error:
        session.failed = error
        raise


def require_whole(session: Session) -> None:
    """Nothing more of a transaction runs, and it is not committed, after a part of it failed."""
    if session.failed is not None:
        raise failed_transaction(session.failed) from session.failed
    if not session.connection.in_transaction:
        raise TransactionError(
            "SQLite has rolled this transaction back, for a statement of it was stopped:"
            " run it again from its beginning"
        )


def savepoint(session: Session, sql: str, *_: Any) -> None:
    require_whole(session)
    script(session, sql)


def roll_back_to(session: Session, name: str, *_: Any) -> None:
    """Undoes what came after a savepoint; what failed since is undone with it."""
    session.failed = None
    require_whole(session)
    script(session, f"ROLLBACK TO {name}")
    script(session, f"RELEASE {name}")


def commit_whole(session: Session, *_: Any) -> None:
    """Commits a transaction of which all has succeeded; else, or if it fails, rolls it back."""
    try:
        require_whole(session)
    except BaseException:
        roll_back(session)
        raise
    commit(session)


def whole(session: Session, begin: str, work: Callable[..., Any], *arguments: Any) -> Any:
    """Work in a transaction of its own, which is over afterwards in any case."""
    script(session, begin)
    try:
        result = work(*arguments)
        commit(session)
    except BaseException:
        roll_back(session)
        raise
    return result


def commit(session: Session, *_: Any) -> None:
    """Makes a transaction permanent; if that fails, it is rolled back."""
    session.unhurried()
    try:
        script(session, "COMMIT")
    except BaseException:
        roll_back(session)
        raise


def unit_within(session: Session, steps: Sequence[Step], *_: Any) -> list[Any]:
    """Several statements within a transaction."""
    return steps_of(session, steps)


def many_within(
    session: Session,
    statement: Statement,
    rows: Sequence[Sequence[Any]],
    decode: Decode | None,
) -> Any:
    """`many` within a transaction."""
    returned = many(session, statement, rows, decode is not None)
    return None if decode is None else returned


def open_cursor(session: Session, statement: Statement, parameters: Sequence[Any], _: Any) -> Any:
    """A cursor of its own, to be read bit by bit."""
    cursor = session.connection.cursor()
    try:
        cursor.execute(statement.sql, parameters)
    except _REFUSALS as error:
        cursor.close()
        raise session.fault(error, statement.sql, parameters) from error
    return cursor


def next_rows(session: Session, cursor: sqlite3.Cursor, chunk: int, decode: Decode) -> Any:
    """The next rows, decoded, in a tuple; None after the last."""
    try:
        rows = cursor.fetchmany(chunk)
    except _REFUSALS as error:
        raise session.fault(error, "FETCH") from error
    return (decode(rows),) if rows else None


def close_cursor(session: Session, cursor: sqlite3.Cursor, *_: Any) -> None:
    cursor.close()


def roll_back(session: Session, *_: Any) -> None:
    """Leaves no transaction open, whatever came before."""
    session.unhurried()
    session.failed = None
    if session.connection.in_transaction:
        script(session, "ROLLBACK")
