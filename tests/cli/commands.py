"""Running the real command, as a person would: in a terminal, or without one."""

from __future__ import annotations

import os
import pathlib
import pty
import select
import subprocess
import sys
from collections.abc import Mapping

__all__ = ["in_terminal", "turbostar"]

_SECONDS = 120


def turbostar(
    *arguments: str | pathlib.Path, cwd: pathlib.Path, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run `turbostar` with its output in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "turbostar", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"} | environ,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def in_terminal(
    *arguments: str | pathlib.Path, cwd: pathlib.Path, environ: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run `turbostar` in a terminal; return its exit status, and all that it has shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "turbostar", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | (environ or {}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while select.select([ours], [], [], _SECONDS)[0]:
            data = os.read(ours, 1 << 16)
            if not data:
                break
            shown += data
    except OSError:  # Linux says so when the other side has been closed
        pass
    finally:
        os.close(ours)
    return process.wait(_SECONDS), shown.decode()
