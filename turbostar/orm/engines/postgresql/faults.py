"""PostgreSQL's errors as those of ``turbostar.orm.errors``.

This module knows asyncpg's errors by what they carry, and needs it only when there is one.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from turbostar.orm.engines.options import Where
from turbostar.orm.errors import (
    CannotConnect,
    CheckViolation,
    ConnectionLost,
    DatabaseError,
    DatabaseMissing,
    Deadlock,
    ExclusionViolation,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    NotNullViolation,
    OrmError,
    QueryError,
    ReadOnly,
    SerializationFailure,
    StatementTimeout,
    TransactionError,
    UniqueViolation,
    WrongPassword,
    WrongValue,
)

__all__ = ["cannot_connect", "lost", "typed"]

_BY_CODE: dict[str, type[DatabaseError]] = {
    "40P01": Deadlock,
    "40001": SerializationFailure,
    "55P03": LockNotAvailable,
    "25006": ReadOnly,
}
_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03"}  # the server ends the session
# Key (a, "b c")=(1, 2) already exists. In whatever language: names come first, in parentheses.
_KEY = re.compile(r"\((.*?)\)=\(", re.DOTALL)

# What asyncpg says of a parameter has the value in its middle, which may be a secret.
_ARGUMENT = re.compile(r"^(invalid input for query argument \$\d+): .* (\(.*\))$", re.DOTALL)


def cannot_connect(where: Where, error: Exception) -> CannotConnect:
    """Why there is no connection."""
    code: str = getattr(error, "sqlstate", None) or ""
    shown, what = where.shown, _text(error)
    if code in ("28P01", "28000"):
        return WrongPassword(f"{shown} refuses this user or password: {what}", code=code)
    if code == "3D000":
        return DatabaseMissing(f"{shown}: the server has no such database; create it", code=code)
    if code == "53300":
        return CannotConnect(
            f"{shown} has no connection left: lower pool_size and max_overflow, or raise the"
            " server's max_connections",
            code=code,
        )
    if isinstance(error, TimeoutError):
        limit = where.options.connect_timeout
        return CannotConnect(f"{shown} did not answer within connect_timeout ({limit:g} s)")
    return CannotConnect(f"{shown} is not to be reached: {what}", code=code)


def lost(error: BaseException, closed: bool) -> bool:
    """Whether an error says that the connection is gone."""
    code = getattr(error, "sqlstate", None) or ""
    return closed or code in _LOST or code.startswith("08") or isinstance(error, OSError)


def typed(error: Exception, sql: str, *, closed: bool = False) -> Exception:
    """The typed exception for one that the driver has raised; others are given back as they are.

    Args:
        closed: the connection is closed by now.
    """
    code: str = getattr(error, "sqlstate", None) or ""
    if isinstance(error, OrmError):
        return error
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)) or code == "57014":
        return _stopped(error, sql, code)
    if lost(error, closed):
        return ConnectionLost(
            f"the connection was cut in the middle of a statement, which may or may not have taken"
            f" effect: {_text(error)}",
            statement=sql,
            code=code,
        )
    if code.startswith("23"):
        return _constraint(error, sql, code)
    if code in _BY_CODE:
        return _BY_CODE[code](f"{_text(error)}: {sql}", statement=sql, code=code)
    if code == "25P02":
        return TransactionError("this transaction has failed and can only be rolled back")
    if code.startswith("22"):
        text = _ARGUMENT.sub(r"\1 \2", _text(error))
        return WrongValue(f"a value does not fit its column: {text}", statement=sql, code=code)
    if code.startswith(("42", "0A", "3F")):
        return QueryError(f"{_text(error)}: {sql}", statement=sql, code=code)
    if code:
        return DatabaseError(f"{_text(error)}: {sql}", statement=sql, code=code)
    return _of_the_driver(error, sql)


def _of_the_driver(error: Exception, sql: str) -> Exception:
    """What asyncpg raises by itself, before or after the server has had its say."""
    if not type(error).__module__.startswith("asyncpg"):
        if isinstance(error, ValueError) and "isoformat" in str(error):
            return WrongValue(
                f"a timestamp is out of what Python can hold: {error}; select it as text, or set"
                " text_timestamps=False",
                statement=sql,
            )
        if sql.startswith("COPY ") and isinstance(error, OverflowError | UnicodeEncodeError):
            # Its encoders raise these as they are, where those of a statement's values do not.
            return WrongValue(f"a value does not fit its column: {error}", statement=sql)
        return error
    if type(error).__name__ == "InterfaceError":
        return QueryError(f"{_text(error)}: {sql}", statement=sql)
    return DatabaseError(f"{_text(error)}: {sql}", statement=sql)


def _stopped(error: Exception, sql: str, code: str) -> DatabaseError:
    if code and "timeout" not in str(error).lower():
        return DatabaseError(f"the statement was stopped: {sql}", statement=sql, code=code)
    return StatementTimeout(
        f"a statement ran longer than statement_timeout and was stopped: {sql}",
        statement=sql,
        code=code,
    )


def _constraint(error: Any, sql: str, code: str) -> DatabaseError:
    table: str = error.table_name or ""
    constraint: str = error.constraint_name or ""
    known: dict[str, Any] = {"table": table, "statement": sql, "code": code}
    if code == "23502":
        column: str = error.column_name or ""
        return NotNullViolation(
            f"{table}.{column} needs a value, and has none", columns=(column,), **known
        )
    columns = _key_columns(error.detail or "")
    named = {**known, "constraint": constraint, "columns": columns}
    if code == "23505":
        return UniqueViolation(
            f"another row of {table} has the same {' and '.join(columns) or constraint}"
            f" (constraint {constraint})",
            **named,
        )
    if code in ("23503", "23001"):  # the second is RESTRICT's, from PostgreSQL 18 on
        fact = (
            f"a row is still referred to from {table}"
            if sql.lstrip()[:6].upper() == "DELETE"
            else f"{table} refers by {', '.join(columns)} to a row that is not there"
        )
        return ForeignKeyViolation(f"{fact} (constraint {constraint})", **named)
    if code == "23514":
        return CheckViolation(
            f"a row of {table or 'the table'} does not meet the check constraint {constraint}",
            **{**named, "columns": ()},
        )
    if code == "23P01":
        return ExclusionViolation(
            f"a row of {table} conflicts with another (constraint {constraint})", **named
        )
    return IntegrityError(_text(error), **named)


def _key_columns(detail: str) -> tuple[str, ...]:
    found = _KEY.search(detail)
    if found is None:
        return ()
    names = found[1].split(", ")
    if any("(" in name or ":" in name for name in names):
        return ()  # the key is of expressions
    return tuple(name.strip('"').replace('""', '"') for name in names)


def _text(error: BaseException) -> str:
    """What an error says, without details: those have values of rows."""
    first = error.args[0] if error.args else ""
    return str(first) or str(error) or type(error).__name__
