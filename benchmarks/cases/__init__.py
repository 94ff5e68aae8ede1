"""The requests that are measured: each an application, written once for both sides, and a request.

Importing a case builds nothing: its application is built for one side when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.asgi import ASGIApp, ClientRequest
from benchmarks.sides import Side

__all__ = ["Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request to one application, and how much cheaper it is to become.

    Attributes:
        name: in the summary and on the command line.
        build: makes the application from one side's classes.
        request: what is asked.
        target: stock / turbostar, at least.
        status: of the right answer.
        looped: run both sides on an asyncio loop, because one of them waits for something.
    """

    name: str
    build: Callable[[Side], ASGIApp]
    request: ClientRequest
    target: float
    status: int = 200
    looped: bool = False

    def __str__(self) -> str:
        return self.name
