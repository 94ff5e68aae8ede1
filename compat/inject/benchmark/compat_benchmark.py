"""A pytest plugin with a ``benchmark`` fixture that repeats what it is given and keeps the times.

It stands in for pytest-codspeed's, under which most of Starlette's cases run once. What it
measures is CPU time of the whole process, so that work moved to a thread counts as well.
Loaded by ``-p compat_benchmark`` beside the collector; times are appended to the file named by
``COMPAT_TIMES``.
"""

from __future__ import annotations

import gc
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ROUND_NS = 5_000_000
WARM_UP_NS = 20_000_000
MAX_WARM_UPS = 200
MIN_SINGLE_CALLS = 4


class Benchmark:
    """Calls a function over and over until *max_ns* nanoseconds of CPU time are used up.

    A round is a batch of calls of at least ROUND_NS together; ``samples`` holds nanoseconds per
    call, one for each round. At least one round is measured, however long it takes.
    """

    def __init__(self, max_ns: float) -> None:
        self.max_ns = max_ns
        self.extra_info: dict[str, Any] = {}
        self.samples: list[float] = []
        self.batch = 0

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.pedantic(function, args, kwargs)

    def pedantic(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        iterations: int = 1,
        warmup_rounds: int = 0,
    ) -> Any:
        """Measure *function*; the numbers of rounds the caller asks for are not followed."""
        if setup is None and teardown is None:
            return self._measure_batches(function, args, kwargs or {})
        return self._measure_singly(function, args, kwargs or {}, setup, teardown)

    def _measure_batches(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        began = time.process_time_ns()
        calls = 0
        while True:
            result = function(*args, **kwargs)
            calls += 1
            spent = time.process_time_ns() - began
            if spent >= WARM_UP_NS or calls >= MAX_WARM_UPS:
                break
        if spent >= self.max_ns:
            # One call is all there is time for; the warm-up was it.
            self.batch = calls
            self.samples.append(spent / calls)
            return result
        self.batch = math.ceil(ROUND_NS * calls / max(spent, 1))
        gc.collect()
        total = 0
        while total < self.max_ns:
            began = time.process_time_ns()
            for _ in range(self.batch):
                result = function(*args, **kwargs)
            spent = time.process_time_ns() - began
            if spent < ROUND_NS * 0.8 and not self.samples:
                # Faster than it was while warming up: a round would be too short to time.
                self.batch *= 2
                continue
            total += spent
            self.samples.append(spent / self.batch)
        return result

    def _measure_singly(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        setup: Callable[[], Any] | None,
        teardown: Callable[..., Any] | None,
    ) -> Any:
        """Time call by call, with the setup and teardown of each call outside of the time.

        They do count against *max_ns*, but for the first few calls: one alone is no measure.
        """
        self.batch = 1
        result = None
        first = time.process_time_ns()
        while len(self.samples) < MIN_SINGLE_CALLS or time.process_time_ns() - first < self.max_ns:
            given = setup() if setup is not None else None
            if given is not None:
                args, kwargs = given
            began = time.process_time_ns()
            result = function(*args, **kwargs)
            self.samples.append(time.process_time_ns() - began)
            if teardown is not None:
                teardown(*args, **kwargs)
        return result


@pytest.fixture
def benchmark(request: pytest.FixtureRequest) -> Iterator[Benchmark]:
    """Measure a function; see :class:`Benchmark`."""
    measured = Benchmark(float(os.environ["COMPAT_MAX_TIME"]) * 1e9)
    yield measured
    line = {"test": request.node.nodeid, "batch": measured.batch, "samples": measured.samples}
    with open(os.environ["COMPAT_TIMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker that pytest-codspeed would have declared."""
    config.addinivalue_line("markers", "benchmark: bounds of a benchmark, not followed here")
