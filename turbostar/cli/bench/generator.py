"""The benchmark's end of the load process."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol, TypeVar, cast

from turbostar.cli.bench.connection import LoadError
from turbostar.cli.bench.exchange import Exchange
from turbostar.cli.bench.frames import (
    Done,
    Failed,
    Go,
    Message,
    Plan,
    Ready,
    Run,
    read_frame,
    write_frame,
)
from turbostar.cli.bench.processes import Processes
from turbostar.cli.errors import UserError

__all__ = ["Generator", "LoadGenerator"]

_M = TypeVar("_M", bound=Message)
_TICK = 0.1  # seconds between two looks at the server while the load runs


class Generator(Protocol):
    """What puts load on a server: the load process, or wrk."""

    def plan(self, name: str, exchanges: Sequence[Exchange]) -> None:
        """Make known the exchanges with one server."""

    def prepare(self, run: Run) -> None:
        """Get ready for a round.

        Raises:
            LoadError: an answer was wrong or missing.
        """

    def go(self, tick: Callable[[], None]) -> Done:
        """Run the prepared round; call `tick` often meanwhile.

        Raises:
            LoadError: an answer was wrong or missing.
        """
        ...


class LoadGenerator:
    """The load process."""

    def __init__(self, processes: Processes, cores: Sequence[int]) -> None:
        self._process = processes.start(
            "load",
            ["-m", "turbostar.cli.bench.load"],
            environment=os.environ,
            cores=cores,
            pipes=True,
        )
        self._requests = cast(BinaryIO, self._process.popen.stdin)
        self._replies = cast(BinaryIO, self._process.popen.stdout)

    def plan(self, name: str, exchanges: Sequence[Exchange]) -> None:
        """Make known the exchanges with one server."""
        self._send(Plan(name, tuple(exchanges)))

    def prepare(self, run: Run) -> None:
        """Open the connections of a round and use each once.

        Raises:
            LoadError: an answer was wrong or missing.
        """
        self._send(run)
        self._receive(Ready)

    def go(self, tick: Callable[[], None]) -> Done:
        """Run the prepared round.

        Raises:
            LoadError: an answer was wrong or missing.
        """
        self._send(Go())
        while not select.select([self._replies], [], [], _TICK)[0]:
            tick()
        return self._receive(Done)

    def _send(self, message: Message) -> None:
        try:
            write_frame(self._requests, message)
        except BrokenPipeError:
            raise self._gone() from None

    def _receive(self, kind: type[_M]) -> _M:
        message = read_frame(self._replies)
        if isinstance(message, Failed):
            raise LoadError(message.name, message.cause, missing=message.missing)
        if isinstance(message, kind):
            return message
        raise self._gone()

    def _gone(self) -> UserError:
        self._process.ended(within=5.0)
        return UserError(f"the load process ended early ({self._process.fate()}); run it again")
