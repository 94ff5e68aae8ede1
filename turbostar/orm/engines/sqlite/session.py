"""One connection of SQLite in its thread, and what stops a statement that should run no longer."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from turbostar.orm.engines.options import Options, Where
from turbostar.orm.engines.sqlite.faults import cannot_open, typed
from turbostar.orm.engines.sqlite.foreign_keys import after_commit, after_statement
from turbostar.orm.errors import ForeignKeyViolation, StatementTimeout

__all__ = ["Session"]

# Every so many steps of SQLite's machine, some tenths of a millisecond, it asks whether to go on.
_STEPS_BETWEEN_LOOKS = 50_000
_CACHED_STATEMENTS = 512


class Session:
    """A connection with its cursor, and what stops a statement that runs too long or for nobody."""

    __slots__ = (
        "connection",
        "cursor",
        "deadline",
        "defers",
        "failed",
        "future",
        "limit",
        "peek",
        "schema_version",
        "timed_out",
    )

    def __init__(self, where: Where, *, reads_only: bool, peek: Callable[[], bool]) -> None:
        options = where.options
        self.limit = options.statement_timeout
        self.deadline = math.inf
        self.timed_out = False
        self.failed: BaseException | None = None  # by which statement the transaction failed
        self.future: asyncio.Future[Any] | None = None
        self.peek = peek
        self.schema_version = -1  # of the schema that `defers` tells of: see batches
        self.defers = False
        try:
            self.connection = _open(where)
        except sqlite3.Error as error:
            raise cannot_open(where, error) from error
        try:
            self._set_up(options, reads_only, where.mode == "ro")
        except sqlite3.Error as error:
            self.connection.close()
            raise cannot_open(where, error) from error
        self.cursor = self.connection.cursor()
        self.connection.set_progress_handler(self._look, _STEPS_BETWEEN_LOOKS)

    def _set_up(self, options: Options, reads_only: bool, ro_file: bool) -> None:
        run = self.connection.execute
        run(f"PRAGMA busy_timeout = {int(options.busy_timeout * 1000)}")
        if not reads_only and not ro_file:
            run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {options.synchronous}")
        run(f"PRAGMA foreign_keys = {'ON' if options.foreign_keys else 'OFF'}")
        run("PRAGMA case_sensitive_like = ON")  # as on PostgreSQL
        for name, value in options.pragmas.items():
            run(f"PRAGMA {name} = {value}")  # both are words or numbers: see Options
        run("SELECT count(*) FROM sqlite_master").fetchone()  # is it a database at all?
        if reads_only:
            run("PRAGMA query_only = ON")

    def _look(self) -> int:
        """Asked by SQLite in the middle of a statement; anything but 0 ends it."""
        future = self.future
        if self.peek() or (future is not None and future.cancelled()):
            return 1
        if self.deadline != math.inf and time.monotonic() > self.deadline:
            self.timed_out = True
            return 1
        return 0

    def hurry(self) -> None:
        """From now on a statement may take `limit` seconds."""
        if self.limit is not None:
            self.timed_out = False
            self.deadline = time.monotonic() + self.limit

    def unhurried(self) -> None:
        """What comes now is not stopped: a commit, a rollback."""
        self.future = None
        self.deadline = math.inf
        self.timed_out = False

    def fault(self, error: Exception, sql: str, parameters: Sequence[Any] = ()) -> Exception:
        """The typed exception for what the driver raised."""
        if self.timed_out:
            self.timed_out = False
            return StatementTimeout(
                f"a statement ran longer than statement_timeout ({self.limit:g} s) and was stopped:"
                f" {sql}",
                statement=sql,
                code="SQLITE_INTERRUPT",
            )
        fault = typed(self.connection, error, sql)
        if isinstance(fault, ForeignKeyViolation):
            if sql == "COMMIT":
                return after_commit(self, fault)
            return after_statement(self, fault, parameters)
        return fault

    def close(self) -> None:
        self.connection.close()


def _open(where: Where) -> sqlite3.Connection:
    if where.target == ":memory:":
        name, uri = where.target, False
    else:
        path = os.path.abspath(where.target).replace("%", "%25").replace("?", "%3f")
        name, uri = f"file:{path.replace('#', '%23')}?mode={where.mode}", True
    return sqlite3.connect(
        name,
        timeout=where.options.busy_timeout,
        uri=uri,
        isolation_level=None,  # we say BEGIN and COMMIT ourselves
        check_same_thread=False,  # one thread works with it, and another may close it
        cached_statements=_CACHED_STATEMENTS,
    )
