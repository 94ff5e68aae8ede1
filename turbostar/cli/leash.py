"""Processes that cannot outlive the command that started them, however that ends.

`python -m turbostar.cli.leash FD -m MODULE ARGUMENT...` runs a module of Python's, and
`... leash FD PROGRAM ARGUMENT...` any program. FD is the reading end of a pipe into which nothing
is ever written: it ends when the command closes the other end, or when the kernel does because
the command was killed. Then the whole process group is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__ = ["leashed"]


def leashed(arguments: Sequence[str], pipe: int) -> list[str]:
    """The command line that runs `arguments` (`-m MODULE ...` or `PROGRAM ...`) on a leash.

    Args:
        arguments: what to run.
        pipe: the reading end, which the process must inherit. The process must lead a group of
            its own, for that is what is killed.
    """
    return [sys.executable, "-m", "turbostar.cli.leash", str(pipe), *arguments]


def _main(pipe: int, arguments: list[str]) -> None:
    # A blocked thread costs the server nothing, and unlike Linux's death signal it exists
    # everywhere and reaches what the application has started.
    threading.Thread(target=_watch, args=(pipe,), name="leash", daemon=True).start()
    if arguments[0] == "-m":
        # In this very process: it is the one that is measured.
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        status = subprocess.run(arguments, check=False).returncode
        sys.exit(status if status >= 0 else 128 - status)  # killed by a signal: as shells say it


def _watch(pipe: int) -> None:
    os.read(pipe, 1)  # returns at the end of the pipe
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
