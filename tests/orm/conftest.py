"""One suite for both engines: a test that asks for `db` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.orm import servers
from turbostar.orm.database import Database


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """The name of a database that nobody else has, on the server for tests."""
    if reason := servers.postgres_missing():
        if servers.named():
            pytest.fail(f"TURBOSTAR_POSTGRES names no server that answers: {reason}")
        pytest.skip(f"no PostgreSQL to test with: {reason}")
    name = f"turbostar_test_{os.getpid()}"
    servers.create(name)
    yield name
    servers.drop(name)


@pytest.fixture(params=servers.KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    """Which engine; parametrize a test with one of `servers.KINDS` to have only that."""
    return request.param


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the test's database is, which is empty."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    found = servers.postgres_url(request.getfixturevalue("postgres_database"))
    servers.empty(found)
    return found


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """An open, empty database. After the test nothing may be checked out of it any more."""
    database = Database(url, pool_size=4, max_overflow=12, warm=1)
    await database.start()
    yield database
    await database.close()
