"""The few statistics of the benchmark: percentiles, spreads, ratios of neighbours."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

__all__ = ["Spread", "middle_of", "percentile", "ratios", "spread"]


class Spread(msgspec.Struct, frozen=True):
    """Several measurements of one thing: the middle one, the extremes, and all in order."""

    median: float
    low: float
    high: float
    values: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """Summarise one or more measurements.

    Raises:
        ValueError: there is none.
    """
    if not values:
        raise ValueError("no measurement to summarise")
    return Spread(statistics.median(values), min(values), max(values), tuple(values))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the sorted values that at least `percent` % of them do not exceed.

    Raises:
        ValueError: there is no value, or `percent` is not above 0 and at most 100.
    """
    if not ordered:
        raise ValueError("no value to take a percentile of")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not a percentage above 0")
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def ratios(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """B/A for each pair of rounds that ran next to each other.

    A drift of the machine over minutes moves both rounds of a pair, and so hardly their ratio.

    Raises:
        ValueError: the two are not of one length, or a value of A is not above 0.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} rounds of A and {len(b)} of B cannot be paired")
    if any(value <= 0 for value in a):
        raise ValueError("a measurement of A is not above 0")
    return [after / before for before, after in zip(a, b, strict=True)]


def middle_of(values: Sequence[float]) -> list[int]:
    """Where the median is: the position of the middle value, or of the two in the middle.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no value to take the median of")
    by_size = sorted(range(len(values)), key=values.__getitem__)
    return by_size[(len(values) - 1) // 2 : len(values) // 2 + 1]
