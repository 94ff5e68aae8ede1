"""What ends a command lets it put things in order first."""

from __future__ import annotations

import os
import signal
import time

import pytest

from turbostar.cli.signals import ended_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_an_exit(number: signal.Signals) -> None:
    """SIGTERM and SIGHUP unwind the stack, and the handlers are put back."""
    before = signal.getsignal(number)

    def receive() -> None:
        with ended_by_signals():
            os.kill(os.getpid(), number)
            time.sleep(30)

    with pytest.raises(SystemExit) as caught:
        receive()
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored() -> None:
    """Under nohup a closed terminal ends nothing."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
