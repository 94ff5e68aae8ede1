"""What is measured: each case is written once for both sides, and names what it is to gain.

Importing a case builds nothing: its application is built for one side when it is asked for.
`benchmarks.cases.every` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.asgi import ASGIApp, ClientRequest, Work
from benchmarks.sides import Side

__all__ = ["Case", "Step"]

_ON_OLDEST = 0.8  # calls and generators are slower there, on both sides


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request to one application, and how much cheaper it is to become.

    Attributes:
        name: in the summary and on the command line.
        build: makes the application from one side's classes.
        request: what is asked.
        target: stock / turbostar, at least.
        on_oldest: the share of the target that is enough on Python 3.11.
        status: of the right answer.
        looped: run both sides on an asyncio loop, because one of them waits for something.
    """

    name: str
    build: Callable[[Side], ASGIApp]
    request: ClientRequest
    target: float
    on_oldest: float = _ON_OLDEST
    status: int = 200
    looped: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is done within a request, alone: encoding, making a response, reading a URL.

    Attributes:
        name: in the summary.
        build: makes, from one side's classes, what does it a number of times, and what doing it
            once gives; the latter must be equal on both sides.
        target: stock / turbostar, at least.
        on_oldest: the share of the target that is enough on Python 3.11.
        overhead: makes what both sides do beside it, which is subtracted from both.
    """

    name: str
    build: Callable[[Side], tuple[Work, object]]
    target: float
    on_oldest: float = _ON_OLDEST
    overhead: Callable[[], Work] | None = None

    def __str__(self) -> str:
        return self.name
