"""What connections cost is measured on real servers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.connections import SIDES, main


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_short_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Memory, calls if strace is there, and latency of both classes."""
    for module in ("psutil", "uvicorn", "uvloop", "httptools"):
        pytest.importorskip(module)
    file = tmp_path / "found.json"
    arguments = ["--idle", "50", "--requests", "20", "--rounds", "1", "--seconds", "0.3"]
    assert main([*arguments, "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    found = json.loads(file.read_bytes())
    for side in SIDES:
        assert f"{side}: p99 at 70% of saturation" in shown
        assert found["p99_ms"][side][0] > 0
        assert found["calls"].get(side, {}).get("write", 1.0) >= 1
