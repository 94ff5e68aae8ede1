"""What is made the same in all runs of an application: random numbers, and the time.

Otherwise every answer with an identifier, a token or a signed cookie would vary from run to run,
and of what varies only the shape can be compared.
"""

from __future__ import annotations

import importlib.util
import os
import random
import time
import uuid
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["Clock", "FrozenClock", "check_freezing", "seed", "take_over_random"]

_SYSTEM = random.Random()


def take_over_random() -> None:
    """Have `os.urandom`, and with it `secrets` and `uuid`, give what `seed` says."""
    os.urandom = _urandom
    # The modules below took os.urandom when they were imported, or do not use it.
    vars(random)["_urandom"] = _urandom
    vars(uuid)["_generate_time_safe"] = None  # a C function; without it uuid1 asks `time`
    seed(0)


def seed(number: int) -> None:
    """Begin the random numbers of a request anew.

    Each request has its own, so that one that takes more of them, or takes them in a task that
    goes on, does not change the answers to all that follow.
    """
    random.seed(number)
    _SYSTEM.seed(~number)


def _urandom(size: int, /) -> bytes:
    return _SYSTEM.randbytes(size)


class Clock:
    """Stands in for `time.time`: the same in every run, one second later at each request."""

    def __init__(self, start: int) -> None:
        self._now = start

    def start(self) -> None:
        """From now on, the time is the one that this clock shows."""
        time.time, time.time_ns = self._time, self._time_ns

    def tick(self) -> None:
        """A second passes."""
        self._now += 1

    def _time(self) -> float:
        return float(self._now)

    def _time_ns(self) -> int:
        return self._now * 1_000_000_000


class FrozenClock(Clock):
    """Stands in for whatever in Python asks the time of day: `datetime.now` and so on, too.

    The monotonic clock goes on, for event loops and timeouts live by it.
    """

    _travel: Any

    def start(self) -> None:
        self._travel = importlib.import_module("time_machine").travel(self._now, tick=False).start()

    def tick(self) -> None:
        super().tick()
        self._travel.move_to(self._now)


def check_freezing() -> None:
    """Fail before anything is run if the library that freezes the clock is missing.

    Raises:
        UserError: it is.
    """
    if importlib.util.find_spec("time_machine") is None:
        raise UserError(
            "--freeze-clock needs time-machine, which is missing; pip install 'turbostar[cli]'"
        )
