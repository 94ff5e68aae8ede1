"""Processes and what they use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from turbostar.cli.bench.processes import Processes
from turbostar.cli.bench.usage import TreeUsage

psutil = pytest.importorskip("psutil")

_FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
_BUSY = "import time\nwhile True: time.process_time()"


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_children_of_children_are_ended() -> None:
    """Leaving ends the processes and all that they started."""
    with Processes() as processes:
        parent = processes.start("family", [sys.executable, "-c", _FAMILY], environment=os.environ)
        _wait(lambda: parent.log.read_text().strip())
        child = int(parent.log.read_text())
        assert psutil.pid_exists(child)
    assert parent.popen.returncode is not None
    _wait(lambda: not _runs(child))


def test_a_signal_while_a_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process ends also where a signal came between its start and its being listed."""
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            raise KeyboardInterrupt

    def start() -> None:
        with Processes() as processes:
            processes.start("sleeper", [sys.executable, "-c", _FAMILY], environment=os.environ)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert started[0].wait(timeout=30) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 128 + 9)],
)
def test_a_program_keeps_its_status(code: str, status: int) -> None:
    """A program that is not run as a module of Python's ends with the status that it gave."""
    with Processes() as processes:
        process = processes.start("short", [sys.executable, "-c", code], environment=os.environ)
        assert process.ended(within=30)
        assert process.popen.returncode == status


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_fate_of_a_process_tells_why() -> None:
    """An ended process leaves its status and its last words."""
    with Processes() as processes:
        code = "import sys; sys.stderr.write('first\\nthe reason\\n'); sys.exit(3)"
        process = processes.start("short", [sys.executable, "-c", code], environment=os.environ)
        assert process.ended(within=30)
        assert process.fate() == "exit status 3; its last words: first | the reason"


def test_a_long_log_is_emptied() -> None:
    """A log that has grown long starts again; a short one is kept."""
    with Processes() as processes:
        for size, left in ((1 << 21, 0), (5, 5)):
            code = f"import sys; sys.stdout.write('x' * {size})"
            process = processes.start("loud", [sys.executable, "-c", code], environment=os.environ)
            assert process.ended(within=30)
            process.shorten_log()
            assert process.log.stat().st_size == left


def test_usage_of_a_tree() -> None:
    """CPU time grows while a process works, and its memory has a peak."""
    with Processes() as processes:
        process = processes.start("busy", [sys.executable, "-c", _BUSY], environment=os.environ)
        usage = TreeUsage(process.pid)
        before = usage.cpu_seconds()
        _wait(lambda: usage.cpu_seconds() > before)
        usage.restart_peak()
        usage.sample()
        assert usage.peak_bytes() > 1 << 20
