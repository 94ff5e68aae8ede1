"""The fixtures of the benchmarks: each measures a case and keeps it for the summary."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.agreement import agreed
from benchmarks.cases import Case
from benchmarks.paired import Pair, Ratio, measure
from benchmarks.summary import (
    AT_LEAST,
    DIFFERENCE,
    SHARE,
    Row,
    as_json,
    environment,
    lines,
)

ROWS: list[Row] = []

# On Python 3.11, whose calls and generators are slower on both sides, this much of each ratio.
_SHARE_OF_TARGETS = 0.8 if sys.version_info < (3, 12) else 1.0

Paired = Callable[..., Pair]
Compared = Callable[[Case], Pair]
Costs = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("paired", "stock against turbostar")
    group.addoption("--ratios", type=Path, metavar="FILE", help="write the ratios as JSON")
    group.addoption("--rounds", type=int, default=9, help="ratios taken of each case")
    group.addoption("--uvloop", action="store_true", help="run cases that need a loop on uvloop")
    group.addoption(
        "--strict-targets",
        type=float,
        nargs="?",
        const=1.0,
        metavar="FRACTION",
        help="fail a case that misses this fraction of its target (1 if not given)",
    )


@pytest.fixture(scope="session")
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """The one loop of all cases that need one: its threads and selectors are warm."""
    factory = None
    if request.config.getoption("--uvloop"):
        if importlib.util.find_spec("uvloop") is None:
            raise pytest.UsageError("--uvloop: uvloop is not installed; pip install uvloop")
        import uvloop

        factory = uvloop.Loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner


@pytest.fixture
def paired(request: pytest.FixtureRequest) -> Paired:
    """Measure ``paired(stock, turbostar, target=…)`` and add the case to the summary.

    With ``at_most=…`` in place of ``target`` the figure is turbostar / stock, and less is better.
    """

    def run(
        stock: Callable[[int], object],
        turbostar: Callable[[int], object],
        *,
        target: float | None = None,
        at_most: float | None = None,
        overhead: Callable[[int], object] | None = None,
        name: str | None = None,
    ) -> Pair:
        rounds = request.config.getoption("--rounds")
        pair = measure(stock, turbostar, overhead=overhead, rounds=rounds)
        name = name or request.node.name.removeprefix("test_")
        if at_most is None:
            assert target is not None, "give a target"
            share = _SHARE_OF_TARGETS if target > 1 else 1.0
            row = Row(_group(request), name, pair, target * share)
        else:
            pair = Pair(pair.stock, pair.turbostar, pair.ratio.inverse())
            row = Row(_group(request), name, pair, at_most, SHARE)
        _keep(row, request.config)
        return pair

    return run


@pytest.fixture
def compared(paired: Paired, runner: asyncio.Runner) -> Compared:
    """Check that both sides answer a `Case` alike, then measure it less an empty application."""

    def run(case: Case) -> Pair:
        works = agreed(case, runner)
        return paired(
            works.stock,
            works.turbostar,
            overhead=works.overhead,
            target=case.target,
            name=case.name,
        )

    return run


@pytest.fixture
def costs(request: pytest.FixtureRequest) -> Costs:
    """Add to the summary what was measured elsewhere: `costs(stock, turbostar, unit, …)`."""

    def run(
        stock: Sequence[float],
        turbostar: Sequence[float],
        *,
        name: str,
        unit: str,
        at_most: float,
        relation: str = SHARE,
    ) -> None:
        assert relation in (SHARE, DIFFERENCE)
        figures = [
            ours - theirs if relation == DIFFERENCE else ours / theirs
            for theirs, ours in zip(stock, turbostar, strict=True)
        ]
        pair = Pair(_spread(stock), _spread(turbostar), _spread(figures))
        _keep(Row(_group(request), name, pair, at_most, relation, unit), request.config)

    return run


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not ROWS:
        return
    say = terminalreporter.write_line
    terminalreporter.section(f"{AT_LEAST}, CPU time in process")
    say(" · ".join(f"{key} {value}" for key, value in environment().items()))
    for line in lines(ROWS):
        say(line)
    file = config.getoption("--ratios")
    if file:
        file.write_text(json.dumps(as_json(ROWS), indent=1) + "\n")
        say(f"written to {file}")


def _keep(row: Row, config: pytest.Config) -> None:
    ROWS.append(row)
    fraction = config.getoption("--strict-targets")
    if fraction is not None and not row.reached(fraction):
        pytest.fail(
            f"{row.name}: {row.relation} is {row.figure.median:.2f}, target {row.target:.2f}"
            + (f" (held to {fraction:g} of it)" if fraction != 1 else ""),
            pytrace=False,
        )


def _group(request: pytest.FixtureRequest) -> str:
    return str(request.path.stem).removeprefix("test_")


def _spread(values: Sequence[float]) -> Ratio:
    return Ratio(statistics.median(values), min(values), max(values))
