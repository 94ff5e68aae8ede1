"""One side of a case at a time, for pytest-benchmark and the services that read its files.

pytest-benchmark times each test by itself and knows nothing of pairs, so noise shows in full; its
files, comparisons and histograms are what others understand.
"""

from __future__ import annotations

import gc
import time
from typing import Any

from benchmarks.asgi import Work
from benchmarks.paired import repetitions_of

__all__ = ["OPTIONS", "CPUTimer", "timed"]

#: Whoever gives one of these options wants pytest-benchmark's figures, not pairs.
OPTIONS = (
    "benchmark_autosave",
    "benchmark_compare",
    "benchmark_compare_fail",
    "benchmark_histogram",
    "benchmark_json",
    "benchmark_only",
    "benchmark_save",
)
_ROUNDS = 10


class CPUTimer:
    """CPU seconds of this process, divided by how often a round repeats its work.

    What is measured is called once a round with a number of repetitions, for entering the event
    loop costs more than a request; so a round's time has to be divided for a single one.
    """

    __name__ = "cpu_seconds_per_repetition"

    def __init__(self) -> None:
        self.repetitions = 1

    def __call__(self) -> float:
        return time.process_time() / self.repetitions


def timed(benchmark: Any, timer: CPUTimer, work: Work) -> None:
    """Time `work` by pytest-benchmark's fixture, which has been given that timer."""
    timer.repetitions = repetitions_of(work)
    benchmark.extra_info["repetitions_per_round"] = timer.repetitions

    def collected() -> None:  # what setup returns would be taken for arguments
        gc.collect()

    benchmark.pedantic(work, args=(timer.repetitions,), setup=collected, rounds=_ROUNDS)
