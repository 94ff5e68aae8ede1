"""Where tests find databases: files of their own, and a PostgreSQL server if there is one."""

from __future__ import annotations

import asyncio
import functools
import os
import uuid
from urllib.parse import urlsplit, urlunsplit

#: The server of the tests; databases are made on it, and go with the tests that made them.
SERVER = os.environ.get("TURBOSTAR_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@functools.cache
def why_no_postgresql() -> str | None:
    """What keeps tests from PostgreSQL, or None. Where a server was named, it must be there."""

    async def connect() -> None:
        import asyncpg

        await (await asyncpg.connect(SERVER, timeout=5)).close()

    try:
        asyncio.run(connect())
    except ImportError:
        why = "asyncpg is not installed: pip install 'turbostar[postgres]'"
    except Exception as exc:
        why = f"no PostgreSQL at {urlsplit(SERVER).hostname} (set TURBOSTAR_POSTGRES): {exc!r}"
    else:
        return None
    if "TURBOSTAR_POSTGRES" in os.environ:
        raise RuntimeError(why)
    return why


def run_on(url: str, *statements: str) -> None:
    """Runs statements there, each by itself."""

    async def run() -> None:
        import asyncpg

        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def make_database() -> str:
    """The URL of a new, empty database of the server."""
    name = f"turbostar_test_{uuid.uuid4().hex[:16]}"
    run_on(
        SERVER,
        f'CREATE DATABASE "{name}"',
        f'ALTER DATABASE "{name}" SET synchronous_commit = off',
    )
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def remove_database(url: str) -> None:
    """It goes, whoever is still connected."""
    run_on(SERVER, f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')
