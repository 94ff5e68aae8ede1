"""When a change has made a ratio worse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.paired import Ratio
from benchmarks.regression import Figure, main, regressed
from benchmarks.summary import AT_LEAST, DIFFERENCE, SHARE


@pytest.mark.parametrize(
    ("relation", "base", "new", "worse"),
    [
        (AT_LEAST, (5.0, 4.9, 5.1), (4.7, 4.6, 4.8), True),
        (AT_LEAST, (5.0, 4.9, 5.1), (4.8, 4.7, 4.85), False),  # 4 %, though the spreads part
        (AT_LEAST, (5.0, 4.6, 5.4), (4.5, 4.3, 4.7), False),  # 10 %, but the spreads overlap
        (AT_LEAST, (5.0, 4.9, 5.1), (9.0, 8.9, 9.1), False),
        (SHARE, (0.10, 0.09, 0.11), (0.13, 0.12, 0.14), True),
        (SHARE, (0.10, 0.09, 0.11), (0.08, 0.07, 0.085), False),
        (DIFFERENCE, (2.0, 1.5, 2.5), (4.0, 3.5, 4.5), True),  # more than 5 % of a target of 20
        (DIFFERENCE, (2.0, 1.9, 2.1), (2.6, 2.5, 2.7), False),
    ],
)
def test_what_counts_as_worse(
    relation: str,
    base: tuple[float, float, float],
    new: tuple[float, float, float],
    worse: bool,
) -> None:
    """Both more than 5 % and beyond the spreads, in the direction that is bad."""
    target = 20.0 if relation == DIFFERENCE else 1.0
    figures = [Figure(target, Ratio(*values), relation) for values in (base, new)]
    assert regressed(*figures) is worse


def _file(path: Path, **medians: float) -> str:
    cases = {
        name: {
            "target": 4,
            "relation": AT_LEAST,
            "unit": "µs",
            "ratio": {"median": value, "low": value * 0.99, "high": value * 1.01},
        }
        for name, value in medians.items()
    }
    path.write_text(json.dumps({"environment": {}, "cases": cases}))
    return str(path)


def test_a_regression_is_shown_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 1, and the table names the case."""
    base = _file(tmp_path / "base", json=5.0, item=4.0)
    assert main([base, _file(tmp_path / "new", json=4.0, item=4.0)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown if line.endswith("REGRESSED")] == ["json"]
    assert shown[-1].startswith("1 of 2 cases regressed")


def test_cases_of_one_file_only_do_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change may add, rename or remove cases; the table tells."""
    assert main([_file(tmp_path / "base", old=5.0), _file(tmp_path / "new", new=1.0)]) == 0
    shown = capsys.readouterr().out
    assert "only in base" in shown
    assert "only in new" in shown


def test_a_file_that_is_none_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says which file and what to do; the status is not that of a regression."""
    (tmp_path / "text").write_text("no ratios")
    for file in (tmp_path / "text", tmp_path / "missing"):
        assert main([str(file), str(file)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {file}: ")
        assert error.count("\n") == 1
