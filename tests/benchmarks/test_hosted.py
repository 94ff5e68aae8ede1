"""Benchmarks by pytest-benchmark: each side a test, both in one group."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hosted import CPUTimer

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks of "120 routes, 405"."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "-q", "-p", "no:cacheprovider"]
    # Within a worker of pytest-xdist, pytest-benchmark times nothing.
    environment = {key: value for key, value in os.environ.items() if "XDIST" not in key}
    return subprocess.run(
        [*command, "-k", "120 and 405", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_sides_are_written_in_one_group(tmp_path: Path) -> None:
    """Nothing but pytest-benchmark's own option is needed, and no pairs are measured then."""
    file = tmp_path / "hosted.json"
    done = run("--benchmark-json", str(file))
    assert done.returncode == 0, done.stdout
    assert "stock / turbostar" not in done.stdout
    found: list[dict[str, Any]] = json.loads(file.read_bytes())["benchmarks"]
    assert [benchmark["params"]["side"] for benchmark in found] == ["stock", "turbostar"]
    assert {benchmark["group"] for benchmark in found} == {"120 routes, 405"}
    assert all(benchmark["stats"]["rounds"] > 1 for benchmark in found)


def test_runs_are_compared_and_drawn(tmp_path: Path) -> None:
    """A saved run is compared with the next, which also draws a histogram of each group."""
    storage = f"--benchmark-storage={tmp_path}/runs"
    saved = run(storage, "--benchmark-save=base")
    assert saved.returncode == 0, saved.stdout
    done = run(storage, "--benchmark-compare=0001", f"--benchmark-histogram={tmp_path}/drawn")
    assert done.returncode == 0, done.stdout
    assert "(0001_base)" in done.stdout
    (drawn,) = tmp_path.glob("drawn-*.svg")
    assert "turbostar-120 routes, 405" in drawn.read_text("utf-8")


def test_a_round_is_divided_by_its_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer tells seconds of one repetition."""
    monkeypatch.setattr(time, "process_time", lambda: 12.0)
    timer = CPUTimer()
    assert timer() == 12.0
    timer.repetitions = 8
    assert timer() == 1.5
