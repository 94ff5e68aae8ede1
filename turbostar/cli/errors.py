"""The errors that the command line reports without a traceback."""

from __future__ import annotations

import signal

__all__ = ["InterruptedByUser", "UserError"]


class UserError(Exception):
    """A mistake in what the user gave, told in one line: the thing, the cause and the repair.

    The command line prints the message and exits with `status`.
    """

    status = 2


class InterruptedByUser(UserError):
    """A signal ended it; the message says while doing what."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.status = 128 + number
