"""The table at the end of a run, and the file of the same figures."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from benchmarks.paired import Pair, Ratio

__all__ = ["AT_LEAST", "DIFFERENCE", "SHARE", "Row", "as_json", "environment", "lines"]

# What the figure of a row is; with the first, more is better.
AT_LEAST = "stock / turbostar"
SHARE = "turbostar / stock"
DIFFERENCE = "turbostar - stock"


@dataclass(frozen=True)
class Row:
    """One case: what was found on each side, the figure made of it, and what it is to be."""

    group: str
    name: str
    pair: Pair
    target: float
    relation: str = AT_LEAST
    unit: str = "µs"

    @property
    def figure(self) -> Ratio:
        """What is compared with the target."""
        return self.pair.ratio

    def reached(self, fraction: float = 1.0) -> bool:
        """Whether the median reaches that fraction of the target.

        A target of 1 says "not slower": missed only where the whole spread is below.
        """
        if self.relation == AT_LEAST and self.target == 1:
            return self.figure.high >= fraction
        if self.relation == AT_LEAST:
            return self.figure.median >= self.target * fraction
        return self.figure.median <= self.target / fraction


def environment() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "starlette": version("starlette"),
        "msgspec": version("msgspec"),
        "turbostar": version("turbostar"),
        "machine": platform.machine(),
    }


def as_json(rows: Iterable[Row]) -> dict[str, Any]:
    """What ``--ratios`` writes and `benchmarks.regression` reads."""
    return {
        "environment": environment(),
        "cases": {
            row.name: {
                "group": row.group,
                "relation": row.relation,
                "unit": row.unit,
                "target": row.target,
                **asdict(row.pair),
            }
            for row in rows
        },
    }


def lines(rows: Sequence[Row]) -> list[str]:
    """The table, grouped, every column aligned, misses marked."""
    table = [["case", "stock", "turbostar", "", "figure", "spread", "target", ""]]
    groups: list[str | None] = [None]
    for row in rows:
        figure = row.figure
        limit = "≥" if row.relation == AT_LEAST else "≤"
        table.append(
            [
                row.name + ("" if row.relation == AT_LEAST else f" ({row.relation})"),
                _number(row.pair.stock.median),
                _number(row.pair.turbostar.median),
                row.unit,
                f"{figure.median:.2f}",
                f"{figure.low:.2f}..{figure.high:.2f}",
                f"{limit} {row.target:.2f}",
                "" if row.reached() else "missed",
            ]
        )
        groups.append(row.group)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown: list[str] = []
    for group, cells in zip(groups, table, strict=True):
        if group is not None and group != groups[0]:
            shown += ["", group]
        groups[0] = group or groups[0]
        shown.append(_aligned(cells, widths))
    reached = sum(row.reached() for row in rows)
    return [*shown, "", f"{reached} of {len(rows)} targets reached"]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = {0, 3, 7}
    return "  ".join(
        cell.ljust(width) if column in left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
