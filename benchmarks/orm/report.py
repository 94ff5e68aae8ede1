"""The figures as tables and as JSON."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.orm.cases import CASES
from benchmarks.orm.sides import side as side_named
from benchmarks.orm.timing import Batch, Spread, quotients

Results = dict[str, dict[str, list[Batch]]]


def versions(sides: tuple[str, ...]) -> dict[str, str]:
    """Of Python, SQLite, and all distributions that take part and are installed."""
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    for name in sides:
        for package in side_named(name).packages:
            try:
                found[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def best_orm(row: dict[str, list[Batch]], measure: str) -> str | None:
    """The quickest of the other ORMs in the middle of the rounds."""
    peers = [name for name in row if name != "turbostar" and side_named(name).is_orm]
    if not peers or "turbostar" not in row:
        return None
    return min(
        peers, key=lambda name: Spread.of(getattr(each, measure) for each in row[name]).median
    )


def short(figure: float) -> str:
    """Three digits, as far as there are."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"


def table(engine: str, results: Results, measure: str) -> Iterator[str]:
    """The rows of a table in Markdown: medians of all sides, and the ratio with its spread."""
    names = list(dict.fromkeys(name for row in results.values() for name in row))
    yield f"| {engine}, {measure} time, µs | {' | '.join(names)} | best ORM / turbostar | target |"
    yield f"|---|{'---:|' * (len(names) + 2)}"
    for case, row in results.items():
        cells = [
            short(Spread.of(getattr(each, measure) for each in row[name]).median)
            if name in row
            else "-"
            for name in names
        ]
        best, ratio = best_orm(row, measure), "-"
        if best is not None:
            spread = quotients(row[best], row["turbostar"], measure)
            ratio = f"{spread.median:.1f} ({spread.low:.1f}..{spread.high:.1f}), {best}"
        target = dict(CASES[case].targets).get(engine)
        wanted = f"{target:g}" if target else ""
        yield f"| {CASES[case].about} | {' | '.join(cells)} | {ratio} | {wanted} |"


def against_driver(results: Results) -> Iterator[str]:
    """turbostar by asyncpg, for the cases whose target that is."""
    for driver in ("asyncpg", "asyncpg, no reset"):
        for measure in ("cpu", "wall"):
            cells = []
            for case in ("get", "rows", "insert", "bulk"):
                row = results.get(case, {})
                if driver in row and "turbostar" in row:
                    spread = quotients(row["turbostar"], row[driver], measure)
                    cells.append(
                        f"{case} {spread.median:.2f} ({spread.low:.2f}..{spread.high:.2f})"
                    )
            if cells:
                yield f"turbostar / {driver}, {measure} time (target 1.35): {', '.join(cells)}"


def as_json(results: dict[str, Results], imports: dict[str, list[Batch]]) -> dict[str, Any]:
    """Everything that was measured, every batch of it."""
    return {
        "cases": {
            engine: {
                case: {name: [asdict(each) for each in batches] for name, batches in row.items()}
                for case, row in found.items()
            }
            for engine, found in results.items()
        },
        "import_ms": {
            name: [asdict(each) for each in batches] for name, batches in imports.items()
        },
    }
