"""What every container in the benchmark provides: the same classes and generators."""

from __future__ import annotations

from collections.abc import AsyncIterator

__all__ = ["Engine", "Repo", "Service", "Session", "Settings", "open_session"]


class Settings:
    """A singleton."""


class Engine:
    """A singleton that needs another."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Session:
    """The first of three chained services of a request."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine


class Repo:
    """The second."""

    def __init__(self, session: Session) -> None:
        self.session = session


class Service:
    """The third."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo


async def open_session(engine: Engine) -> AsyncIterator[Session]:
    """A session that is torn down with its request."""
    yield Session(engine)
