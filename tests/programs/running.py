"""Programs run on stock Starlette and on turbostar, and what is seen of them compared."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["MODES", "difference", "run", "run_all"]

HERE = Path(__file__).parent
MODES = ("swap", "install")
#: So often a program is run again that differs.
_TRIES = 3


def run(mode: str, paths: Sequence[Path], loop: str = "asyncio") -> dict[str, str]:
    """Run programs in one mode; return what was seen of each case, by its name.

    Args:
        loop: "asyncio" or "uvloop".
    """
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "PROGRAM_LOOP": loop,
            "PROGRAM_ERRORS": str(Path(folder, "errors")),
            "PROGRAM_OUTPUT": str(Path(folder, "output")),
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
        }
        env.pop("TURBOSTAR_DISABLE", None)
        command = [sys.executable, str(HERE / "worker.py"), mode, *map(str, paths)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert "@@" in done.stdout, f"the worker for {mode} has failed:\n{done.stderr[-3000:]}"
    seen: dict[str, str] = json.loads(done.stdout.rpartition("@@")[2])
    return seen


def run_all(paths: Sequence[Path], loop: str = "asyncio") -> dict[str, dict[str, str]]:
    """Run programs in all modes at once; return what was seen, by mode."""
    with ThreadPoolExecutor() as pool:
        found = {mode: pool.submit(run, mode, paths, loop) for mode in ("stock", *MODES)}
        return {mode: future.result() for mode, future in found.items()}


def difference(
    path: Path, name: str, mode: str, stock: str, seen: str, loop: str = "asyncio"
) -> str:
    """Say how a case differs from stock; empty if it does not.

    A case that comes out in more than one way on stock may come out in any of them. Before it is
    called different both sides run again, alone: on a busy machine a timeout may come first.
    """
    known = {stock}
    for _ in range(_TRIES):
        if seen in known:
            return ""
        known.add(run("stock", [path], loop)[name])
        seen = run(mode, [path], loop)[name]
    lines = difflib.unified_diff(stock.splitlines(), seen.splitlines(), "stock", mode, lineterm="")
    return "" if seen in known else "\n".join(lines)
