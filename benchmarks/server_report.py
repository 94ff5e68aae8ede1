"""What `benchmarks.server` found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from benchmarks.paired import Ratio
from benchmarks.served_shapes import SHAPES

__all__ = ["Sample", "as_json", "lines"]

_SIDES = ("raw", "stock", "turbostar")
_QUOTIENTS = (("stock", "raw"), ("turbostar", "raw"), ("turbostar", "stock"))


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
    """The table: microseconds of server CPU per request, and their quotients."""
    table = [["server CPU, µs/request", *_SIDES, *(f"{a} / {b}" for a, b in _QUOTIENTS), ""]]
    for shape in SHAPES:
        if not any(sample.shape == shape.key for sample in samples):
            continue
        found = {pair: quotient(samples, shape.key, *pair) for pair in _QUOTIENTS}
        missed = [
            f"missed {limit:.2f} of {side}"
            for side, limit in shape.limits.items()
            if found["turbostar", side].median > limit
        ]
        table.append(
            [
                shape.key,
                *(f"{_cpu(samples, shape.key, side).median:.1f}" for side in _SIDES),
                *(f"{r.median:.2f} ({r.low:.2f}..{r.high:.2f})" for r in found.values()),
                ", ".join(missed),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in (0, 7) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def as_json(samples: Sequence[Sample]) -> dict[str, Any]:
    """The same, with every sample."""
    shapes = dict.fromkeys(sample.shape for sample in samples)
    return {
        "shapes": {
            shape: {
                "cpu_us": {side: asdict(_cpu(samples, shape, side)) for side in _SIDES},
                "ratios": {
                    f"{above} / {below}": asdict(quotient(samples, shape, above, below))
                    for above, below in _QUOTIENTS
                },
            }
            for shape in shapes
        },
        "samples": [sample._asdict() for sample in samples],
    }


def _cpu(samples: Sequence[Sample], shape: str, side: str) -> Ratio:
    return Ratio.of([s.cpu_us for s in samples if (s.shape, s.side) == (shape, side)])
