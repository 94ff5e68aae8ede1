"""Tables of the documentation hold what was measured."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import with_figures

TEXT = """\
| case | stock, µs | turbostar, µs | stock / turbostar | lowest..highest | target |
|---|---:|---:|---:|---:|---:|
| `one` | 1.00 | 1.00 | 1.00 | 1.00..1.00 | 2 |
| two | 1.00 | 1.00 | 1.00 | 1.00..1.00 | 4 |
| nobody's | 1.00 | 1.00 | 1.00 | 1.00..1.00 | 2 |
| two | of other columns |
text | one | two
"""


def case(stock: float, turbostar: float, target: float) -> dict[str, Any]:
    ratio = stock / turbostar
    return {
        "relation": "stock / turbostar",
        "target": target,
        "stock": {"median": stock},
        "turbostar": {"median": turbostar},
        "ratio": {"median": ratio, "low": ratio - 1, "high": ratio + 1},
    }


def test_rows_of_cases_are_written_and_no_others() -> None:
    """By their names, with a missed target marked, and a cell of two columns left alone."""
    cases = {"one": case(1234, 400, 2), "two": case(123.4, 61.7, 4), "unlisted": case(1, 1, 1)}
    found: set[str] = set()
    lines = with_figures(TEXT, cases, found).split("\n")
    assert found == {"one", "two"}
    assert lines[2] == "| `one` | 1,234 | 400.0 | 3.08 | 2.08..4.08 | 2 |"
    assert lines[3] == "| two | 123.4 | 61.70 | 2.00 | 1.00..3.00 | 4 (missed) |"
    before = TEXT.split("\n")
    assert [*lines[:2], *lines[4:]] == [*before[:2], *before[4:]]


def test_a_target_that_is_reached_at_last_is_no_longer_missed() -> None:
    """The mark of the last time goes."""
    header = TEXT.split("\n")[0]
    text = f"{header}\n| one | 1 | 1 | 1 | 1..1 | 2 (missed) |"
    assert with_figures(text, {"one": case(9, 1, 2)}, set()).endswith("| 2 |")


def test_other_tables_are_left_alone() -> None:
    """A row of that name in a table of other columns says something else."""
    text = "| | raw | stock | turbostar | x |\n|---|---|---|---|---|\n| one | 1 | 2 | 3 | 4 |"
    assert with_figures(text, {"one": case(9, 1, 2)}, set()) == text
