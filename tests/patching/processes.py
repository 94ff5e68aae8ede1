"""Runs one scenario in a process of its own, for what is under test patches modules globally."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: Keeps instrumentations from talking to anybody, and sets (of methods, say) in one order.
SILENT = {
    "PYTHONHASHSEED": "0",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
    "OTEL_SDK_DISABLED": "false",
}


def outcome(module: str, *, disabled: bool = False, path: str = "", **case: Any) -> Any:
    """Run ``python -m tests.patching.<module>`` on a case, and return what it reports.

    Args:
        disabled: whether turbostar's kill switch is on: the stock side of a comparison.
        path: a directory whose packages come before the installed ones.
        case: what the module is told, as JSON.
    """
    return _outcome(module, disabled, path, json.dumps(case, sort_keys=True))


@functools.cache
def _outcome(module: str, disabled: bool, path: str, case: str) -> Any:
    environment = {**os.environ, **SILENT, "PYTHONPATH": path}
    environment["TURBOSTAR_DISABLE"] = "1" if disabled else ""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.patching.{module}", case],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_same(stock: list[Any], ours: list[Any]) -> None:
    """Check that two reports tell the same of each request; fail with the requests that differ."""
    assert [step["ask"] for step in ours] == [step["ask"] for step in stock]
    differing = [
        f"{theirs['ask']}: {kind}\n    stock     {theirs.get(kind)}\n    turbostar {mine.get(kind)}"
        for theirs, mine in zip(stock, ours, strict=True)
        for kind in {**theirs, **mine}
        if theirs.get(kind) != mine.get(kind)
    ]
    assert not differing, "\n".join([f"{len(differing)} differences", *differing])
