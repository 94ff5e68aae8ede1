"""SQLite's errors as those of ``turbostar.orm.errors``, with what SQLite leaves unsaid looked up.

SQLite names the columns of a key, but neither the constraint nor, for foreign keys, anything at
all. What it does not tell is read from the schema, and called as PostgreSQL would call it.
"""

from __future__ import annotations

import os
import re
import sqlite3

from turbostar.orm.engines.options import Where
from turbostar.orm.engines.sqlite.schema import owner_of_check, unique_key
from turbostar.orm.errors import (
    CannotConnect,
    CheckViolation,
    DatabaseError,
    DatabaseMissing,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    NotNullViolation,
    OrmError,
    QueryError,
    ReadOnly,
    UniqueViolation,
    WrongValue,
)

__all__ = ["cannot_open", "typed", "written_how", "written_table"]

_WRITTEN = re.compile(
    r"""\s*(INSERT|REPLACE|UPDATE|DELETE)(?:\s+OR\s+\w+)?(?:\s+INTO|\s+FROM)?\s+("[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)""",
    re.IGNORECASE,
)
_UNSUPPORTED = re.compile(r"Error binding parameter|type '.*' is not supported")


def cannot_open(where: Where, error: sqlite3.Error) -> CannotConnect:
    """Why a file cannot be opened."""
    folder = os.path.dirname(os.path.abspath(where.target))
    code = getattr(error, "sqlite_errorname", "")
    if not os.path.isdir(folder):
        return DatabaseMissing(
            f"{where.shown}: the folder {folder} is not there; make it first", code=code
        )
    if where.mode != "rwc" and not os.path.exists(where.target):
        return DatabaseMissing(
            f"{where.shown}: there is no such file, and mode={where.mode} makes none", code=code
        )
    if code == "SQLITE_NOTADB":
        return CannotConnect(f"{where.shown}: the file is not an SQLite database", code=code)
    return CannotConnect(f"{where.shown}: {error}", code=code)


def typed(connection: sqlite3.Connection, error: Exception, sql: str) -> OrmError:
    """The typed exception for one of the driver's."""
    if isinstance(error.__context__, (OverflowError, ValueError)):
        # The driver could not bind a value, and then asked SQLite, which tells of its last fault.
        error = error.__context__
    code: str = getattr(error, "sqlite_errorname", "")
    text = str(error)
    if code.startswith("SQLITE_CONSTRAINT"):
        return _constraint(connection, code, text, sql)
    if isinstance(error, (OverflowError, ValueError)) or _UNSUPPORTED.search(text):
        return WrongValue(
            f"SQLite cannot store one of the values: {text}", statement=sql, code=code
        )
    if text.startswith("cannot store ") or code in (
        "SQLITE_MISMATCH",
        "SQLITE_TOOBIG",
        "SQLITE_RANGE",
    ):
        return WrongValue(f"a value does not fit its column: {text}", statement=sql, code=code)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockNotAvailable(
            "another process kept the database locked for longer than busy_timeout: make its"
            " transactions shorter, or busy_timeout longer",
            statement=sql,
            code=code,
        )
    if code.startswith("SQLITE_READONLY"):
        return ReadOnly(
            f"this only reads, but the statement writes: {sql}", statement=sql, code=code
        )
    if code in ("SQLITE_ERROR", "") and isinstance(error, sqlite3.Error):
        return QueryError(f"{text}: {sql}", statement=sql, code=code)
    if code == "SQLITE_INTERRUPT":
        return DatabaseError(f"the statement was stopped: {sql}", statement=sql, code=code)
    return DatabaseError(f"{text}: {sql}", statement=sql, code=code)


def _constraint(connection: sqlite3.Connection, code: str, text: str, sql: str) -> DatabaseError:
    what = text.partition("constraint failed: ")[2]
    if code in (
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_ROWID",
    ):
        table, constraint, columns = unique_key(connection, what)
        return UniqueViolation(
            f"another row of {table} has the same {' and '.join(columns) or constraint}"
            f" (constraint {constraint})",
            table=table,
            constraint=constraint,
            columns=columns,
            statement=sql,
            code=code,
        )
    if code == "SQLITE_CONSTRAINT_NOTNULL":
        table, _, column = what.rpartition(".")
        return NotNullViolation(
            f"{table}.{column} needs a value, and has none",
            table=table,
            columns=(column,),
            statement=sql,
            code=code,
        )
    if code == "SQLITE_CONSTRAINT_CHECK":
        table = owner_of_check(connection, what, written_table(sql))
        return CheckViolation(
            f"a row of {table or 'the table'} does not meet the check constraint {what}",
            table=table,
            constraint=what,
            statement=sql,
            code=code,
        )
    # RESTRICT is done by a trigger, and its error is a trigger's.
    if code == "SQLITE_CONSTRAINT_FOREIGNKEY" or text == "FOREIGN KEY constraint failed":
        return ForeignKeyViolation(
            "a row refers to one that is not there, or is still referred to",
            statement=sql,
            code=code,
        )
    return IntegrityError(text, statement=sql, code=code)


def written_table(sql: str) -> str:
    """The table that a statement writes to; empty if that cannot be told from its beginning."""
    found = _WRITTEN.match(sql)
    return found[2].strip('"`[]') if found else ""


def written_how(sql: str) -> str:
    """INSERT, UPDATE or DELETE."""
    found = _WRITTEN.match(sql)
    return found[1].split()[0].upper() if found else ""
