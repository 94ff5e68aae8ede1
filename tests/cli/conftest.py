"""What the tests of the command line have in common."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Ctrl-C and a closed terminal are heard, here and in what is started from here.

    Under ``nohup``, or in the background of a script, they are ignored, and children inherit that.
    """
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
