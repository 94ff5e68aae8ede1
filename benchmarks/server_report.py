"""What `benchmarks.server` found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from benchmarks.paired import Ratio
from benchmarks.served_shapes import SHAPES, Pair, Shape

__all__ = ["Sample", "as_json", "lines"]

_QUOTIENTS: tuple[Pair, ...] = (
    ("stock", "raw"),
    ("turbostar", "raw"),
    ("turbostar", "stock"),
    ("raw, ours", "raw"),
    ("turbostar, ours", "raw"),
    ("turbostar, ours", "stock"),
    ("turbostar, ours", "turbostar"),
)


class Sample(NamedTuple):
    """One round of one shape on one server."""

    shape: str
    side: str
    round: int
    cpu_us: float
    requests_per_second: float
    peak_mib: float


def quotient(samples: Sequence[Sample], shape: str, above: str, below: str) -> Ratio:
    """CPU of one side / CPU of another, round by round: both rounds ran next to each other."""
    cpu = {(s.side, s.round): s.cpu_us for s in samples if s.shape == shape}
    rounds = sorted(number for side, number in cpu if side == above)
    return Ratio.of([cpu[above, number] / cpu[below, number] for number in rounds])


def lines(samples: Sequence[Sample]) -> list[str]:
    """Two tables: microseconds of server CPU per request, and what they are of each other."""
    return [*_costs(samples), "", *_quotients(samples)]


def _costs(samples: Sequence[Sample]) -> list[str]:
    sides = list(dict.fromkeys(sample.side for sample in samples))
    table = [["server CPU, µs/request", *sides]]
    for shape in _shapes(samples):
        found = [_cpu(samples, shape.key, side) for side in sides]
        table.append([shape.key, *("" if cpu is None else f"{cpu.median:.1f}" for cpu in found)])
    return _aligned(table, left=1)


def _quotients(samples: Sequence[Sample]) -> list[str]:
    table = [["quotients", "", "", "", ""]]
    for shape in _shapes(samples):
        for pair in pairs(shape):
            ratio, limit = quotient(samples, shape.key, *pair), shape.limits.get(pair)
            found = f"{ratio.median:.2f} ({ratio.low:.2f}..{ratio.high:.2f})"
            told = "" if limit is None else f"at most {limit:.2f}"
            missed = "missed" if limit is not None and ratio.median > limit else ""
            table.append([shape.key, " / ".join(pair), found, told, missed])
    return _aligned(table, left=5)


def _aligned(table: list[list[str]], *, left: int) -> list[str]:
    """The rows as lines; so many columns stand to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _shapes(samples: Sequence[Sample]) -> list[Shape]:
    measured = {sample.shape for sample in samples}
    return [shape for shape in SHAPES if shape.key in measured]


def pairs(shape: Shape) -> list[Pair]:
    """What of a shape is divided by what: those that are known of all, and those with limits."""
    known = [pair for pair in _QUOTIENTS if set(pair) <= set(shape.applications)]
    return list(dict.fromkeys([*known, *shape.limits]))


def as_json(samples: Sequence[Sample]) -> dict[str, Any]:
    """The same, with every sample."""
    document: dict[str, Any] = {"shapes": {}, "samples": [s._asdict() for s in samples]}
    for shape in _shapes(samples):
        costs = {side: _cpu(samples, shape.key, side) for side in shape.applications}
        document["shapes"][shape.key] = {
            "cpu_us": {side: asdict(cpu) for side, cpu in costs.items() if cpu is not None},
            "ratios": {
                " / ".join(pair): asdict(quotient(samples, shape.key, *pair))
                for pair in pairs(shape)
                if None not in (costs[pair[0]], costs[pair[1]])
            },
        }
    return document


def _cpu(samples: Sequence[Sample], shape: str, side: str) -> Ratio | None:
    found = [s.cpu_us for s in samples if (s.shape, s.side) == (shape, side)]
    return Ratio.of(found) if found else None
