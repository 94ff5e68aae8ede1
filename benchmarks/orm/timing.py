"""Batches, rounds and quotients."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Microseconds of one call: of the process with its threads, and on the clock on the wall."""

    cpu: float
    wall: float


async def batch(call: Callable[[], Any], number: int, waits: bool, per: int) -> Batch:
    """Call so many times, and tell what one took. The garbage collector is off meanwhile."""
    gc.collect()
    gc.disable()
    times = itertools.repeat(None, number)
    try:
        wall, cpu = time.perf_counter(), time.process_time()
        if waits:
            for _ in times:
                await call()
        else:
            for _ in times:
                call()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    finally:
        gc.enable()
    share = MICROSECONDS / (number * per)
    return Batch(cpu * share, wall * share)


async def fitting_number(call: Callable[[], Any], waits: bool, seconds: float) -> int:
    """How many calls take about that long on the wall; at least two."""
    number = 1
    while True:
        took = (await batch(call, number, waits, 1)).wall * number / MICROSECONDS
        if took >= seconds / 8:
            return max(2, round(number * seconds / took))
        number *= 4


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some figures, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """Of at least one figure."""
        known = list(figures)
        return cls(statistics.median(known), min(known), max(known))


def quotients(theirs: list[Batch], ours: list[Batch], measure: str) -> Spread:
    """Theirs by ours, round by round."""
    return Spread.of(
        getattr(other, measure) / getattr(own, measure)
        for other, own in zip(theirs, ours, strict=True)
    )
