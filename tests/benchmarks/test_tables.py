"""Tables and plot of the documentation hold what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import tables
from benchmarks.cases.every import NAMES
from benchmarks.plot import SHOWN, bars_of
from benchmarks.tables import (
    COSTS,
    OLDEST,
    OURS,
    RATIOS,
    SERVER,
    WHOLE,
    with_environment,
    with_figures,
)

TEXT = f"""\
| case {RATIOS}
|---|---:|---:|---:|---:|
| `one` | 1.00 | 1.00 | 1.00 | 1.00..1.00 |
| two | 1.00 | 1.00 | 1.00 | 1.00..1.00 |
| nobody's | 1.00 | 1.00 | 1.00 | 1.00..1.00 |
text | one | two
"""


def case(stock: float, turbostar: float, relation: str = "stock / turbostar") -> dict[str, Any]:
    ratio = stock / turbostar if relation == "stock / turbostar" else turbostar / stock
    return {
        "relation": relation,
        "unit": "µs",
        "target": 2,
        "stock": {"median": stock},
        "turbostar": {"median": turbostar},
        "ratio": {"median": ratio, "low": ratio - 1, "high": ratio + 1},
    }


def test_rows_of_cases_are_written_and_no_others() -> None:
    """By their names; what has no figures keeps those it had."""
    cases = {"one": case(1234, 400), "two": case(123.4, 61.7), "unlisted": case(1, 1)}
    found: set[str] = set()
    lines = with_figures(TEXT, cases, found).split("\n")
    assert found == {"one", "two"}
    assert lines[2] == "| `one` | 1,234 | 400.0 | 3.08 | 2.08..4.08 |"
    assert lines[3] == "| two | 123.4 | 61.70 | 2.00 | 1.00..3.00 |"
    before = TEXT.split("\n")
    assert [*lines[:2], *lines[4:]] == [*before[:2], *before[4:]]


def test_other_tables_are_left_alone() -> None:
    """A row of that name in a table of other columns says something else."""
    text = "| | raw | stock | turbostar | x |\n|---|---|---|---|---|\n| one | 1 | 2 | 3 | 4 |"
    assert with_figures(text, {"one": case(9, 1)}, set()) == text


def test_costs_have_their_unit_and_their_difference() -> None:
    """What is no ratio of times is in a table of its own."""
    text = f"| what {COSTS}\n|---|---:|---:|---:|\n| one | | | |"
    found: set[str] = set()
    written = with_figures(text, {"one": case(10, 5, "turbostar / stock")}, found)
    assert written.split("\n")[2] == "| one | 10.00 µs | 5.00 µs | 0.50 times |"
    assert found == {"one"}


def test_pythons_are_shown_next_to_each_other() -> None:
    """Only where both were measured."""
    text = f"| case {OLDEST}\n|---|---:|---:|\n| one | 1 | 1 |\n| two | 1 | 1 |"
    cases = {"one": case(9, 3), "two": case(4, 2)}
    lines = with_figures(text, cases, set(), oldest={"one": case(8, 4)}).split("\n")
    assert lines[2:] == ["| one | 2.00 | 3.00 |", "| two | 1 | 1 |"]


def test_the_servers_table_is_written() -> None:
    """From the file of `benchmarks.server`, by the names that the document gives its requests."""
    text = f"| request {SERVER}\n|---|---:|---:|---:|---:|---:|\n| JSON | | | | | |"
    quotient = {"median": 0.7, "low": 0.5, "high": 0.9}
    shape = {
        "cpu_us": {side: {"median": 20.0} for side in ("raw", "stock", "turbostar")},
        "ratios": {"turbostar / raw": quotient, "turbostar / stock": quotient},
    }
    written = with_figures(text, {}, set(), shapes={"json": shape}).split("\n")[2]
    cell = "0.70 (0.50..0.90)"
    assert written == f"| JSON | 20.0 | 20.0 | 20.0 | {cell} | {cell} |"


def test_the_tables_of_the_protocol_class_are_written() -> None:
    """One application on both classes, and turbostar on its own beside others on uvicorn's."""
    text = f"| application {OURS}\n|---|---:|---:|---:|\n| turbostar, JSON | | | |\n\n"
    text += f"| request {WHOLE}\n|---|---:|---:|---:|\n| JSON | | | |"
    quotient = {"median": 0.7, "low": 0.5, "high": 0.9}
    sides = ("raw", "stock", "turbostar", "turbostar, ours")
    shape = {
        "cpu_us": {side: {"median": 20.0} for side in sides},
        "ratios": {f"turbostar, ours / {side}": quotient for side in sides},
    }
    lines = with_figures(text, {}, set(), shapes={"json": shape}).split("\n")
    cell = "0.70 (0.50..0.90)"
    assert lines[2] == f"| turbostar, JSON | 20.00 | 20.00 | {cell} |"
    assert lines[6] == f"| JSON | 20.00 | {cell} | {cell} |"


def test_the_document_tells_when_and_with_what() -> None:
    """The line is written anew with the figures."""
    text = "x\nMeasured on 2020-01-01 with old things.\ny"
    environment = {"date": "2026-01-02", "python": "3.13.1", "starlette": "1.10", "msgspec": "0.2"}
    assert with_environment(text, environment) == (
        "x\nMeasured on 2026-01-02 with Python 3.13.1, Starlette 1.10, msgspec 0.2.\ny"
    )


def test_one_command_writes_tables_and_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plot shows the figures of the tables, is SVG, and comes out the same each time."""
    document, plot = tmp_path / "performance.md", tmp_path / "performance.svg"
    document.write_text(TEXT.replace("`one`", SHOWN[0]), "utf-8")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "PERFORMANCE", document)
    monkeypatch.setattr(tables, "DOCUMENTS", (document,))
    monkeypatch.setattr(tables, "PLOT", plot)
    ratios = tmp_path / "ratios.json"
    environment = {"date": "2026-01-02", "python": "3.13.1", "starlette": "1.10", "msgspec": "0.2"}
    ratios.write_text(
        json.dumps({"environment": environment, "cases": {SHOWN[0]: case(9, 2), "x": case(1, 1)}})
    )
    assert tables.main([str(ratios)]) == 0
    assert capsys.readouterr().out == "1 cases written, and performance.svg\nno row: x\n"
    drawn = plot.read_text("utf-8")
    assert SHOWN[0] in drawn
    assert ">4.5<" in drawn
    assert tables.main([str(ratios)]) == 0
    assert plot.read_text("utf-8") == drawn


def test_without_figures_the_command_says_how_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written then."""
    assert tables.main([str(tmp_path / "none.json")]) == 2
    assert "make figures" in capsys.readouterr().err


def test_every_case_has_its_row() -> None:
    """No case is measured and not shown, and what the plot shows has a row."""
    text = tables.PERFORMANCE.read_text("utf-8")
    found: set[str] = set()
    with_figures(text, {name: case(2, 1) for name in NAMES}, found)
    assert found == NAMES
    assert set(SHOWN) <= NAMES
    assert {
        bar.name for bar in bars_of(with_figures(text, dict.fromkeys(NAMES, case(2, 1)), found))
    } == set(SHOWN)
