"""The fixtures of the benchmarks: each measures a case and keeps it for the summary.

With an option of pytest-benchmark's, or ``--sides``, each case becomes two tests instead, one for
each side, which pytest-benchmark times: see `benchmarks.hosted`.
"""

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
from benchmarks.cases import Case, Step
from benchmarks.hosted import OPTIONS, CPUTimer, timed
from benchmarks.paired import Pair, Ratio, measure
from benchmarks.sides import SIDES
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

_ON_OLDEST = sys.version_info < (3, 12)

Paired = Callable[..., Pair]
Compared = Callable[[Case | Step], None]
Costs = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("paired", "stock against turbostar")
    group.addoption("--ratios", type=Path, metavar="FILE", help="write the ratios as JSON")
    group.addoption("--rounds", type=int, default=9, help="ratios taken of each case")
    group.addoption(
        "--sides",
        action="store_true",
        help="time each side by pytest-benchmark, as its own options do, instead of pairs",
    )
    group.addoption("--uvloop", action="store_true", help="run cases that need a loop on uvloop")
    group.addoption(
        "--strict-targets",
        type=float,
        nargs="?",
        const=1.0,
        metavar="FRACTION",
        help="fail a case that misses this fraction of its target (1 if not given)",
    )


def _by_sides(config: pytest.Config) -> bool:
    """Whether pytest-benchmark is to time each side by itself."""
    return config.getoption("--sides") or any(config.getoption(name, None) for name in OPTIONS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each side of a case where pytest-benchmark is to time them."""
    if "side" in metafunc.fixturenames and _by_sides(metafunc.config):
        metafunc.fixturenames.append("benchmark")
        metafunc.parametrize("side", SIDES, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests of sides a timer of CPU time, and leave out what compares processes."""
    if not _by_sides(config):
        return
    kept = [item for item in items if "side" in getattr(item, "fixturenames", ())]
    for item in kept:
        item.add_marker(pytest.mark.benchmark(timer=CPUTimer(), disable_gc=True))
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture
def side(request: pytest.FixtureRequest) -> str | None:
    """The one side that a test times for pytest-benchmark; None where pairs are measured."""
    name: str | None = getattr(request, "param", None)
    return name


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
        on_oldest: float = 1.0,
        at_most: float | None = None,
        overhead: Callable[[int], object] | None = None,
        name: str | None = None,
    ) -> Pair:
        rounds = request.config.getoption("--rounds")
        pair = measure(stock, turbostar, overhead=overhead, rounds=rounds)
        name = name or request.node.name.removeprefix("test_")
        if at_most is None:
            assert target is not None, "give a target"
            share = on_oldest if _ON_OLDEST and target > 1 else 1.0
            row = Row(_group(request), name, pair, target * share)
        else:
            pair = Pair(pair.stock, pair.turbostar, pair.ratio.inverse())
            row = Row(_group(request), name, pair, at_most, SHARE)
        _keep(row, request.config)
        return pair

    return run


@pytest.fixture
def compared(
    paired: Paired, runner: asyncio.Runner, side: str | None, request: pytest.FixtureRequest
) -> Compared:
    """Check that both sides of a case agree, then measure them, less what is done beside it."""

    def run(case: Case | Step) -> None:
        works = agreed(case, runner)
        if side is not None:
            benchmark = request.getfixturevalue("benchmark")
            benchmark.group = case.name
            benchmark.params = {"case": case.name, "side": side}  # what JSON can hold
            marker = request.node.get_closest_marker("benchmark")
            timed(benchmark, marker.kwargs["timer"], getattr(works, side))
            return
        paired(
            works.stock,
            works.turbostar,
            overhead=works.overhead,
            target=case.target,
            on_oldest=case.on_oldest,
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
