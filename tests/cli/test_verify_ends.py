"""What is left of verify when something ends it: nothing."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

_HANGS = """
import asyncio, os, pathlib
from starlette.applications import Starlette
from starlette.routing import Route

async def hang(request):
    pathlib.Path("pid.new").write_text(str(os.getpid()))
    pathlib.Path("pid.new").rename("pid")
    await asyncio.sleep(3600)

app = Starlette(routes=[Route("/", hang)])
"""


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nothing_outlives_verify(tmp_path: pathlib.Path, ended_by: signal.Signals) -> None:
    """Its worker ends with it, and where it can still act, its temporary directory is removed."""
    (tmp_path / "hanging.py").write_text(_HANGS)
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "turbostar", "verify", "hanging:app", "--timeout", "600"],
        cwd=tmp_path,
        env=dict(os.environ, TMPDIR=str(tmp_path / "tmp")),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for((tmp_path / "pid").exists)
        worker = int((tmp_path / "pid").read_text())
    finally:
        process.send_signal(ended_by)
        process.wait(60)
    _wait_for(lambda: not _runs(worker))
    if ended_by != signal.SIGKILL:
        assert not list((tmp_path / "tmp").iterdir())
