"""The drivers' side: each engine is in a package of its own, imported when a URL asks for it."""

from __future__ import annotations

from typing import Any

from turbostar.orm.engines.interface import Engine
from turbostar.orm.engines.options import locate

__all__ = ["open_engine"]


def open_engine(url: str, options: dict[str, Any]) -> Engine:
    """The engine for a URL; nothing is connected to yet.

    Raises:
        OrmError: an unknown kind of database, or a wrong option.
        DriverMissing: its driver is not installed.
    """
    where = locate(url, options)
    if where.kind == "sqlite":
        from turbostar.orm.engines.sqlite.engine import SqliteEngine

        return SqliteEngine(where)
    from turbostar.orm.engines.postgresql.engine import PostgresqlEngine

    return PostgresqlEngine(where)
