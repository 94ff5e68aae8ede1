"""The benchmark's sides do the same work, as far as their libraries are installed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.orm import __main__ as command
from benchmarks.orm.cases import CASES
from benchmarks.orm.compare import Plan, compare, every_side
from benchmarks.orm.report import against_driver, best_orm, table
from benchmarks.orm.timing import Batch, quotients
from tests.orm import servers


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_side_answers_rightly(engine: str) -> None:
    """`compare` checks each answer, before and after it is timed."""
    if engine == "postgresql" and (why := servers.postgres_missing()):
        pytest.skip(f"no PostgreSQL to test with: {why}")
    plan = Plan(rounds=1, seconds=0.0001, cases=tuple(CASES), sides=every_side())
    said: list[str] = []
    results = asyncio.run(compare(engine, plan, said.append))
    assert set(results) == {name for name, case in CASES.items() if engine in case.engines}
    assert all("turbostar" in row for row in results.values())
    assert any("get by key" in text for text in said)
    lines = list(table(engine, results, "cpu"))
    assert len(lines) == len(results) + 2


def test_a_wrong_answer_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is timed that answers otherwise."""
    from benchmarks.orm.sides.turbostar import Turbostar

    async def wrong(self: Turbostar, key: int) -> Any:
        return await self.item.get(key + 1)

    monkeypatch.setattr(Turbostar, "get", wrong)
    plan = Plan(rounds=1, seconds=0.0001, cases=("get",), sides=("turbostar",))
    with pytest.raises(AssertionError, match="turbostar answers"):
        asyncio.run(compare("sqlite", plan, lambda text: None))


def test_ratios_are_taken_round_by_round() -> None:
    """The middle, the lowest and the highest of them; the best peer by its middle round."""
    ours = [Batch(1, 1), Batch(2, 2), Batch(4, 4)]
    theirs = [Batch(3, 1), Batch(4, 1), Batch(8, 1)]
    slow = [Batch(9, 0.5)] * 3
    spread = quotients(theirs, ours, "cpu")
    assert (spread.low, spread.median, spread.high) == (2, 2, 3)
    row = {"turbostar": ours, "Tortoise": theirs, "Piccolo": slow, "aiosqlite": ours}
    assert best_orm(row, "cpu") == "Tortoise"
    assert best_orm(row, "wall") == "Piccolo"
    assert best_orm({"turbostar": ours, "aiosqlite": ours}, "cpu") is None
    shown = list(against_driver({"get": {"turbostar": theirs, "asyncpg": ours}}))
    assert shown[0].endswith("get 2.00 (2.00..3.00)")


def test_the_command_writes_every_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, with versions and date; progress goes to standard error."""
    path = tmp_path / "orm.json"
    words = ["--case", "get", "--side", "turbostar", "--side", "sqlite3", "--engine", "sqlite"]
    monkeypatch.setattr("sys.argv", ["orm", *words, "--quick", "--json", str(path)])
    command.main()
    out, progress = capsys.readouterr()
    assert "| get by key |" in out
    assert "get by key" in progress
    written = json.loads(path.read_text())
    assert len(written["cases"]["sqlite"]["get"]["turbostar"]) == 3
    assert {"Python", "SQLite"} <= set(written["versions"])
