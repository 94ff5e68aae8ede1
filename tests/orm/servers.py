"""Databases for tests: an SQLite file for each, and a database of our own on a real PostgreSQL.

The server is that of ``TURBOSTAR_POSTGRES``, a URL, or the one on this machine that trusts
everybody (``postgresql://postgres@127.0.0.1:5432/postgres``), without which its tests are skipped.
"""

from __future__ import annotations

import asyncio
import os
from functools import lru_cache
from urllib.parse import urlsplit

from turbostar.orm.database import Database
from turbostar.orm.errors import CannotConnect, DriverMissing

__all__ = ["KINDS", "create", "drop", "empty", "named", "postgres_missing", "postgres_url"]

KINDS = ("sqlite", "postgresql")
_DEFAULT = "postgresql://postgres@127.0.0.1:5432/postgres"


def postgres_url(database: str | None = None) -> str:
    """The server's URL, with another database if one is named."""
    parts = urlsplit(os.environ.get("TURBOSTAR_POSTGRES") or _DEFAULT)
    return parts.geturl() if database is None else parts._replace(path=f"/{database}").geturl()


@lru_cache(maxsize=1)
def postgres_missing() -> str:
    """Why there is no PostgreSQL to test with; empty if there is."""
    try:
        asyncio.run(_knock())
    except (CannotConnect, DriverMissing) as error:
        return str(error)
    return ""


async def _knock() -> None:
    async with Database(postgres_url(), pool_size=1, connect_timeout=3) as db:
        await db.check()


def create(name: str) -> None:
    asyncio.run(_run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'))


def drop(name: str) -> None:
    asyncio.run(_run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _run(*statements: str) -> None:
    async with Database(postgres_url(), pool_size=1) as db:
        for statement in statements:
            await db.execute(statement)


def empty(url: str) -> None:
    """Takes away all tables of an earlier test."""
    asyncio.run(_empty(url))


async def _empty(url: str) -> None:
    tables = "SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    async with Database(url, pool_size=1) as db:
        if (await db.sql(tables))[0]["n"]:
            await db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def named() -> bool:
    """Whether somebody has named a server, which then has to be there."""
    return bool(os.environ.get("TURBOSTAR_POSTGRES"))
