"""The table of a benchmark run, and its options."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.paired import Pair, Ratio
from benchmarks.summary import AT_LEAST, DIFFERENCE, SHARE, Row, as_json, lines

ROOT = Path(__file__).resolve().parent.parent.parent


def _row(name: str, figure: float, target: float, relation: str = AT_LEAST) -> Row:
    ratio = Ratio(figure, figure * 0.9, figure * 1.1)
    return Row("dispatch", name, Pair(Ratio(12, 11, 13), Ratio(3, 2, 4), ratio), target, relation)


@pytest.mark.parametrize(
    ("figure", "target", "relation", "reached"),
    [
        (4.0, 4.0, AT_LEAST, True),
        (3.9, 4.0, AT_LEAST, False),
        (0.95, 1.0, AT_LEAST, True),
        (0.90, 1.0, AT_LEAST, False),
        (0.15, 0.15, SHARE, True),
        (0.16, 0.15, SHARE, False),
        (-3.0, 20.0, DIFFERENCE, True),
        (21.0, 20.0, DIFFERENCE, False),
    ],
)
def test_a_target_is_reached_or_missed(
    figure: float, target: float, relation: str, reached: bool
) -> None:
    """More is better for a ratio of stock, less for what is turbostar's share; 1: not slower."""
    row = _row("case", figure, target, relation)
    assert row.reached() is reached
    assert lines([row])[-1] == f"{int(reached)} of 1 targets reached"
    assert ("missed" in "\n".join(lines([row]))) is not reached


def test_a_fraction_of_a_target_is_easier_to_reach() -> None:
    """What a noisy machine is held to may be wider than the target."""
    assert _row("case", 3.3, 4.0).reached(0.8)
    assert _row("case", 0.18, 0.15, SHARE).reached(0.8)


def test_the_table_is_grouped_and_aligned() -> None:
    """Every line of a column has one width, and each group its heading."""
    shown = lines([_row("short", 4, 4), _row("a much longer name", 40, 50)])
    assert shown[1:3] == ["", "dispatch"]
    assert shown[3].index("µs") == shown[4].index("µs")
    assert shown[4].endswith("missed")


def test_the_file_holds_every_figure() -> None:
    """What is written can be compared later."""
    case = as_json([_row("short", 4, 5)])["cases"]["short"]
    assert case["ratio"] == {"median": 4, "low": 3.6, "high": 4.4}
    assert (case["target"], case["relation"], case["group"]) == (5, AT_LEAST, "dispatch")


def test_only_strict_targets_fail_a_run(tmp_path: Path) -> None:
    """A missed target is marked in the table; it fails the run when that is asked for."""
    command = [sys.executable, "-m", "pytest", "benchmarks/test_routing.py", "-q", "-p"]
    command += ["no:cacheprovider", "-k", "405", "--rounds", "1", "--ratios", str(tmp_path / "r")]
    lenient = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert lenient.returncode == 0, lenient.stdout
    assert "120 routes, 405" in lenient.stdout
    assert json.loads((tmp_path / "r").read_bytes())["cases"].keys() == {"120 routes, 405"}
    # No machine is a thousand times faster than the target.
    strict = subprocess.run(
        [*command, "--strict-targets", "1000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert strict.returncode == 1
    assert "held to 1000 of it" in strict.stdout
