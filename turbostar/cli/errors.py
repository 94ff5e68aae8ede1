"""The one error that the command line reports without a traceback."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(Exception):
    """A mistake in what the user gave, told in one line: the thing, the cause and the repair.

    The command line prints the message and exits with status 2.
    """
