"""What a benchmark is to measure, and what it has measured."""

from __future__ import annotations

from typing import Protocol

import msgspec

from turbostar.cli.bench.reference import Note
from turbostar.cli.bench.results import MixResult
from turbostar.cli.bench.servers import Application
from turbostar.cli.recorded import RecordedRequest

__all__ = ["Measured", "Plan", "Progress"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure and for how long."""

    application: Application
    requests: tuple[RecordedRequest, ...]
    seconds: float
    """Duration of a round."""
    rounds: int
    restarts: int
    """How many generations of server processes the rounds are spread over."""
    connections: int
    mixes: tuple[str, ...] = ()
    ignored_headers: tuple[str, ...] = ()
    port: int = 0
    """Of the stock server, the other one's is one higher; 0: any free ones."""
    pin: bool = True
    wrk: bool = False
    budget: float | None = None
    """If given, seconds for all rounds together, from which `seconds` is computed."""


class Measured(msgspec.Struct, frozen=True):
    """What was found."""

    mixes: tuple[MixResult, ...]
    answers: int
    notes: tuple[Note, ...]
    left_out: tuple[Note, ...]
    seconds: float
    """Duration of a round."""


class Progress(Protocol):
    """Is told what happens now and how many seconds of work are done."""

    def expect(self, seconds: float) -> None:
        """What follows takes about that long in all."""

    def stage(self, text: str) -> None:
        """This begins now."""

    def advance(self, seconds: float) -> None:
        """That much more is done."""
