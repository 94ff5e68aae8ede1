"""asyncpg: how a connection is made, and what it is told before its first statement."""

from __future__ import annotations

import datetime
from typing import Any

from turbostar.orm.engines.options import Where
from turbostar.orm.engines.postgresql.faults import cannot_connect
from turbostar.orm.errors import DriverMissing

try:
    import asyncpg  # type: ignore[import-untyped]
except ImportError as error:  # pragma: no cover - a subprocess tests it
    raise DriverMissing(
        "PostgreSQL needs the driver asyncpg: pip install 'turbostar[postgres]'"
    ) from error

__all__ = ["Connection", "as_text", "connect", "without_text"]

Connection = asyncpg.Connection

# Seconds after the server's own limit on a statement until ours, for one that does not answer.
_LATER = 5.0
_TEXT = ("timestamptz", "timestamp")


async def connect(where: Where) -> Any:
    """A new connection. Raises `CannotConnect` and its kinds."""
    options = where.options
    settings = {"timezone": "UTC", "datestyle": "ISO"}
    limit = options.statement_timeout
    if limit is not None and not options.pgbouncer:
        settings["statement_timeout"] = str(max(1, int(limit * 1000)))
    try:
        connection = await asyncpg.connect(
            where.target,
            timeout=options.connect_timeout,
            command_timeout=None
            if limit is None
            else limit
            if options.pgbouncer
            else limit + _LATER,
            statement_cache_size=0 if options.pgbouncer else options.statement_cache_size,
            max_cached_statement_lifetime=0,
            server_settings=settings,
        )
    except Exception as error:
        raise cannot_connect(where, error) from error
    if options.text_timestamps:
        await as_text(connection)
    return connection


async def as_text(connection: Any) -> None:
    """Takes timestamps as text, which ``datetime.fromisoformat`` reads at the speed of C.

    None of this asks the server.
    """
    # half the time of 100 rows with two timestamps (benchmarks/orm: 100 rows to objects)
    for name, encode in zip(_TEXT, (_with_zone, _without_zone), strict=True):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=encode,
            decoder=datetime.datetime.fromisoformat,
            format="text",
        )


async def without_text(connection: Any) -> None:
    """Undoes `as_text`, for COPY, which is binary."""
    for name in _TEXT:
        await connection.reset_type_codec(name, schema="pg_catalog")


def _with_zone(value: datetime.datetime) -> str:
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"a datetime is wanted, not {type(value).__name__}")
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone: say which, as in tzinfo=datetime.UTC")
    return value.isoformat()


def _without_zone(value: datetime.datetime) -> str:
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"a datetime is wanted, not {type(value).__name__}")
    if value.tzinfo is not None:
        raise ValueError(f"{value!r} has a time zone, and the column has none")
    return value.isoformat()
