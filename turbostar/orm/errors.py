"""What can go wrong, each with a class of its own, the same on every database.

A message names the thing, the cause and the repair. Faults that the database reports carry
``statement`` (the SQL text, never its values) and ``code`` (SQLSTATE, or SQLite's name of the
error), and have the driver's own exception as ``__cause__``.
"""

from __future__ import annotations

__all__ = [
    "CannotConnect",
    "CheckViolation",
    "ConnectionLost",
    "DatabaseClosed",
    "DatabaseError",
    "DatabaseMissing",
    "Deadlock",
    "DriverMissing",
    "ExclusionViolation",
    "ForeignKeyViolation",
    "IntegrityError",
    "LockNotAvailable",
    "ModelError",
    "MultipleFound",
    "NotFound",
    "NotLoaded",
    "NotNullViolation",
    "OrmError",
    "PoolTimeout",
    "QueryError",
    "ReadOnly",
    "SerializationFailure",
    "StatementTimeout",
    "TooManyQueries",
    "TransactionError",
    "UniqueViolation",
    "WrongLoop",
    "WrongPassword",
    "WrongValue",
]


class OrmError(Exception):
    """The base of all errors of ``turbostar.orm``."""


class ModelError(OrmError):
    """A model is defined in a way that cannot work."""


class QueryError(OrmError):
    """A query asks for what is not there: a table, a column, a function, or a wrong use of one.

    `statement` is the SQL text and `code` the database's code, where a database has refused it.
    """

    def __init__(self, message: str, *, statement: str = "", code: str = "") -> None:
        super().__init__(message)
        self.statement = statement
        self.code = code


class NotFound(OrmError):
    """No row matches where one was asked for."""


class MultipleFound(OrmError):
    """More than one row matches where one was asked for."""


class UnknownField(QueryError, AttributeError):
    """A name is neither field nor relation of a model; `hasattr` and debuggers ask for such."""


class NotLoaded(OrmError, AttributeError):
    """A relation was touched that its query has not loaded."""


class TooManyQueries(OrmError, AssertionError):
    """More statements were sent than `Database.expect` allows."""


class DriverMissing(OrmError, ImportError):
    """The driver of this kind of database is not installed."""


class DatabaseClosed(OrmError):
    """The database was closed, or is about to be."""


class WrongLoop(OrmError):
    """A database was used on another event loop than the one that started it."""


class TransactionError(OrmError):
    """A transaction is used after its end, or in a way that it cannot be."""


class DatabaseError(OrmError):
    """A fault that the database or the way to it reports.

    Args:
        message: what happened and what to do.
        statement: the SQL text, without values; empty if there was none.
        code: SQLSTATE on PostgreSQL, the name of the error on SQLite.
    """

    retryable = False  # the same transaction may succeed when it is run again

    def __init__(self, message: str, *, statement: str = "", code: str = "") -> None:
        super().__init__(message)
        self.statement = statement
        self.code = code


class WrongValue(DatabaseError):
    """A value has the wrong type for its column or parameter, or is out of its range."""


class ReadOnly(DatabaseError):
    """A write in a transaction, or on a database, that only reads."""


class IntegrityError(DatabaseError):
    """A row would break a constraint, and was not written.

    Args:
        message: what happened.
        table: the table that has the constraint; empty if the database does not tell.
        constraint: its name; a constraint without one is called as PostgreSQL would call it.
            Empty for NOT NULL, which has no name.
        columns: the columns of the key, as far as the database tells them. Where a row cannot go
            because others refer to it, these are the columns referred to.
        statement: the SQL text, without values.
        code: the database's own code.
    """

    def __init__(
        self,
        message: str,
        *,
        table: str = "",
        constraint: str = "",
        columns: tuple[str, ...] = (),
        statement: str = "",
        code: str = "",
    ) -> None:
        super().__init__(message, statement=statement, code=code)
        self.table = table
        self.constraint = constraint
        self.columns = columns


class UniqueViolation(IntegrityError):
    """Another row has this key."""


class ForeignKeyViolation(IntegrityError):
    """A row refers to one that is not there, or is still referred to."""


class NotNullViolation(IntegrityError):
    """A column that needs a value has none."""


class CheckViolation(IntegrityError):
    """A row does not meet a check constraint."""


class ExclusionViolation(IntegrityError):
    """A row conflicts with another under an exclusion constraint (PostgreSQL)."""


class SerializationFailure(DatabaseError):
    """Transactions at the same time cannot be put in an order; run this one again."""

    retryable = True


class Deadlock(SerializationFailure):
    """Two transactions wait for each other, and this one was chosen to end."""


class LockNotAvailable(DatabaseError):
    """A lock was not to be had at once (``nowait``) or in time."""

    retryable = True


class StatementTimeout(DatabaseError):
    """A statement took longer than ``statement_timeout`` and was stopped."""


class PoolTimeout(DatabaseError):
    """No connection came free within ``pool_timeout``."""


class CannotConnect(DatabaseError):
    """The database is not to be reached or refuses connections."""


class DatabaseMissing(CannotConnect):
    """The server, or the folder, is there, but not this database."""


class WrongPassword(CannotConnect):
    """The server refuses this user or password."""


class ConnectionLost(DatabaseError):
    """The connection was cut; whether a statement under way took effect is not known.

    A statement in a transaction did not, unless it was the commit.
    """
