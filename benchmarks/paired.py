"""Paired timing: two ways to do the same work, measured in turn within one run.

On a shared machine an absolute time says little, and a ratio of two times taken minutes apart not
much more. Here the two sides alternate in short batches, so that both see the same machine, and
only CPU time of this process counts.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Pair", "Ratio", "measure", "repetitions_of"]

BATCH_SECONDS = 0.01


@dataclass(frozen=True)
class Ratio:
    """A median with its spread, over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Ratio:
        return cls(statistics.median(values), min(values), max(values))

    def inverse(self) -> Ratio:
        """The same the other way round: turbostar / stock from stock / turbostar."""
        return Ratio(1 / self.median, 1 / self.high, 1 / self.low)


@dataclass(frozen=True)
class Pair:
    """What a paired measurement found: CPU microseconds per call, and stock / turbostar."""

    stock: Ratio
    turbostar: Ratio
    ratio: Ratio


def measure(
    stock: Callable[[int], object],
    turbostar: Callable[[int], object],
    *,
    overhead: Callable[[int], object] | None = None,
    rounds: int = 9,
    batches: int = 5,
) -> Pair:
    """Time two functions that each repeat their work `n` times.

    Args:
        stock: called with a number of repetitions.
        turbostar: the same work, the other way.
        overhead: what both do beside the work, to be subtracted from both.
        rounds: how many ratios to take; each is of the fastest of `batches` batches of each side,
            taken in turn.
        batches: the batches of each side in a round.
    """
    sides = [stock, turbostar] + ([overhead] if overhead else [])
    repetitions = [repetitions_of(side) for side in sides]
    # What lives now outlives the measurement: the collection before each batch need not see it.
    gc.freeze()
    try:
        return _rounds(sides, repetitions, rounds, batches)
    finally:
        gc.unfreeze()


def _rounds(
    sides: Sequence[Callable[[int], object]], repetitions: Sequence[int], rounds: int, batches: int
) -> Pair:
    found: list[list[float]] = [[], [], []]
    for turn in range(rounds):
        best = [float("inf")] * len(sides)
        for _ in range(batches):
            # Who goes first alternates, so that neither always inherits the other's caches.
            for side in range(len(sides)) if turn % 2 else reversed(range(len(sides))):
                best[side] = min(best[side], _time(sides[side], repetitions[side]))
        beside = best[2] if len(sides) == 3 else 0.0
        found[0].append(best[0] - beside)
        found[1].append(best[1] - beside)
        found[2].append((best[0] - beside) / max(best[1] - beside, 1e-3))
    return Pair(*(Ratio.of(values) for values in found))


def _time(work: Callable[[int], object], repetitions: int) -> float:
    """CPU microseconds per repetition."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time_ns()
        work(repetitions)
        return (time.process_time_ns() - start) / repetitions / 1000
    finally:
        gc.enable()


def repetitions_of(work: Callable[[int], object]) -> int:
    """How often `work` is to be repeated for a batch to be long enough to be timed."""
    repetitions = 1
    while True:
        start = time.process_time_ns()
        work(repetitions)
        seconds = (time.process_time_ns() - start) / 1e9
        if seconds >= BATCH_SECONDS:
            return repetitions
        repetitions *= 2 if seconds < BATCH_SECONDS / 4 else 1 + (seconds < BATCH_SECONDS)
