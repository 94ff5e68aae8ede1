"""Which foreign key was it? SQLite says no more than that one of them was broken.

The statement is run once more in a savepoint, with foreign keys deferred; then SQLite can list the
rows that break one, and all of it is undone. This costs time only where an error is on its way to
the user, and not much of it: after `_PATIENCE` seconds the error goes out without the name.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from turbostar.orm.engines.quoting import quoted
from turbostar.orm.engines.sqlite.faults import written_how, written_table
from turbostar.orm.engines.sqlite.schema import ForeignKey, foreign_keys, named
from turbostar.orm.errors import ForeignKeyViolation

if TYPE_CHECKING:
    from turbostar.orm.engines.sqlite.session import Session

__all__ = ["after_commit", "after_statement"]

_PATIENCE = 0.25
# What a DELETE chooses, without what it returns.
_DELETE = re.compile(
    r"""\s*DELETE\s+FROM\s+(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)\s*(WHERE\s.*?)?(?:\s+RETURNING\s.*)?$""",
    re.IGNORECASE | re.DOTALL,
)


def after_statement(
    session: Session, error: ForeignKeyViolation, parameters: Sequence[Any]
) -> ForeignKeyViolation:
    """The error of one statement, with table, constraint and columns if they can be found."""
    connection = session.connection
    session.deadline = time.monotonic() + _PATIENCE
    table = written_table(error.statement)
    try:
        connection.execute("SAVEPOINT turbostar_fault")
        try:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            try:
                connection.execute(error.statement, parameters).fetchall()
            except sqlite3.IntegrityError:  # RESTRICT cannot be deferred
                return _restricting(connection, error, table, parameters) or error
            tables = [table, *_children(connection, table)]
            return _found(connection, error, tables, table) or error
        finally:
            session.unhurried()
            if connection.in_transaction:
                connection.execute("ROLLBACK TO turbostar_fault")
                connection.execute("RELEASE turbostar_fault")
                connection.execute("PRAGMA defer_foreign_keys = OFF")
    except sqlite3.Error as second:
        error.add_note(f"which foreign key it is was not to be found out: {second}")
        return error


def after_commit(session: Session, error: ForeignKeyViolation) -> ForeignKeyViolation:
    """The error of a commit whose deferred foreign keys do not hold; the transaction is open."""
    connection = session.connection
    session.deadline = time.monotonic() + _PATIENCE
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return _found(connection, error, [row[0] for row in tables.fetchall()], "") or error
    except sqlite3.Error as second:
        error.add_note(f"which foreign key it is was not to be found out: {second}")
        return error
    finally:
        session.unhurried()


def _children(connection: sqlite3.Connection, table: str) -> list[str]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        name
        for (name,) in tables
        if name != table and any(key.parent == table for key in foreign_keys(connection, name))
    ]


def _restricting(
    connection: sqlite3.Connection,
    error: ForeignKeyViolation,
    parent: str,
    parameters: Sequence[Any],
) -> ForeignKeyViolation | None:
    """The RESTRICT that keeps rows of `parent` from being deleted: the one that has such rows."""
    restricts = [
        (table, key)
        for table in [parent, *_children(connection, parent)]
        for key in foreign_keys(connection, table)
        if key.parent == parent and key.on_delete == "RESTRICT"
    ]
    chosen = _DELETE.match(error.statement)
    if chosen is None:
        return None
    for table, key in restricts:
        columns = ", ".join(quoted(column) for column in key.columns)
        referred = ", ".join(quoted(column) for column in key.referred)
        doomed = f"SELECT {referred} FROM {quoted(parent)} {chosen[1] or ''}"
        there = f"SELECT 1 FROM {quoted(table)} WHERE ({columns}) IN ({doomed}) LIMIT 1"
        if connection.execute(there, parameters).fetchone():
            return _named(connection, error, table, key, missing=False)
    return None


def _found(
    connection: sqlite3.Connection, error: ForeignKeyViolation, tables: list[str], written: str
) -> ForeignKeyViolation | None:
    removes = written_how(error.statement) == "DELETE"
    for table in tables:
        row = connection.execute(
            "SELECT fkid FROM pragma_foreign_key_check(?) LIMIT 1", (table,)
        ).fetchone()
        if row is None:
            continue
        key = next(key for key in foreign_keys(connection, table) if key.number == row[0])
        missing = not removes and (not written or table == written)
        return _named(connection, error, table, key, missing=missing)
    return None


def _named(
    connection: sqlite3.Connection,
    error: ForeignKeyViolation,
    table: str,
    key: ForeignKey,
    *,
    missing: bool,
) -> ForeignKeyViolation:
    """The error of this key: the row referred to is `missing`, or still referred to."""
    constraint = named(connection, table, key.columns, "FOREIGN KEY", False)
    columns = key.columns if missing else key.referred
    fact = (
        f"{table} refers by {', '.join(columns)} to a row of {key.parent} that is not there"
        if missing
        else f"a row of {key.parent} is still referred to from {table}"
    )
    return ForeignKeyViolation(
        f"{fact} (constraint {constraint})",
        table=table,
        constraint=constraint,
        columns=columns,
        statement=error.statement,
        code=error.code,
    )
