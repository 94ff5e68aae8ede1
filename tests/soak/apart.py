"""A side in a process of its own: `turbostar.install()` and stock Starlette cannot share one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Self

import turbostar
from benchmarks.sides import STOCK
from tests.clock import Spinning
from tests.soak.plans import Plan
from tests.soak.wave import SideRunner, Wave

__all__ = ["InstalledRunner"]


class InstalledRunner:
    """Runs Starlette's own classes under `turbostar.install()`, in another process."""

    name = "turbostar.install()"

    def __init__(self, seed: int) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, other = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(other, seed), daemon=True)
        self._process.start()
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._connection.close()
        self._process.join()

    def run(self, plans: Sequence[Plan]) -> Wave:
        """Have the other process run the wave.

        Raises:
            Spinning: it keeps its loop busy for ever, or has died.
        """
        self._connection.send(plans)
        try:
            found: Wave | str = self._connection.recv()
        except EOFError as error:
            raise Spinning("its process has died") from error
        if isinstance(found, str):
            raise Spinning(found)
        return found


def _serve(connection: Connection, seed: int) -> None:
    turbostar.install()
    with SideRunner(STOCK, seed) as side:
        while True:
            try:
                plans = connection.recv()
            except EOFError:
                return
            try:
                connection.send(side.run(plans))
            except Spinning as error:
                connection.send(str(error))
                return
