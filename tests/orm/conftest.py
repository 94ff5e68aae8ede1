"""Each test that takes `url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orm import servers


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a database on the server, made for this session; skips where there is none."""
    if why := servers.why_no_postgresql():
        pytest.skip(why)
    url = servers.make_database()
    yield url
    servers.remove_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Which of both."""
    return str(request.param)


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database for this test: a new file, or PostgreSQL's of the session without its tables."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url = str(request.getfixturevalue("postgresql"))
    servers.run_on(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return url
