"""Runs a suite's own benchmarks on stock and on turbostar, interleaved, and reports ratios."""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compat.environments import environment_for
from compat.errors import CompatError
from compat.parity import Setting, modes_of
from compat.runner import Run, execute
from compat.sources import source_distribution
from compat.suites import STOCK, Suite
from compat.terminal import Terminal
from compat.workspace import Workspace, add_turbostar, new_run_folder, prepare

__all__ = ["Ratio", "Timing", "measure", "ratio_of", "ratios_as_json", "show_ratios"]

# Nanoseconds per call: one list of samples for each pass, by mode and test.
Timing = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


@dataclass(frozen=True)
class Ratio:
    """Stock's CPU time over turbostar's for one benchmark: above 1 turbostar is faster.

    The ratio is the median over the passes, *low* and *high* the extremes; the times are medians
    in microseconds per call; *rounds* counts both runs' samples.
    """

    test: str
    stock_us: float
    turbostar_us: float
    ratio: float
    low: float
    high: float
    rounds: int


def ratio_of(
    test: str, stock: Sequence[Sequence[float]], turbostar: Sequence[Sequence[float]]
) -> Ratio:
    """Return the ratio of *test* from its samples in nanoseconds, a list for each pass."""
    before = [statistics.median(samples) for samples in stock]
    after = [statistics.median(samples) for samples in turbostar]
    ratios = [b / a for b, a in zip(before, after, strict=True)]
    return Ratio(
        test=test,
        stock_us=statistics.median(before) / 1000,
        turbostar_us=statistics.median(after) / 1000,
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        rounds=sum(map(len, [*stock, *turbostar])),
    )


def measure(
    suite: Suite,
    modes: Sequence[str],
    passes: int,
    max_time: float,
    setting: Setting,
    terminal: Terminal,
) -> tuple[dict[str, list[Ratio]], list[str]]:
    """Measure the benchmarks of *suite* in *modes* and on stock.

    Each file is run in a new process per variant and pass, the variants one after the other and
    in the opposite order every other pass; *max_time* is the CPU time in seconds that one case
    gets in one variant over all passes. Returns ratios by mode, and the benchmarks that failed.
    """
    if suite.benchmarks is None:
        raise CompatError(f"--benchmarks: {suite.name} has none; use --suite starlette")
    variants = [STOCK, *modes_of(suite, modes)]
    runs = _prepare(suite, variants, max_time / passes, setting, terminal)
    folder = runs[STOCK].workspace.tests
    files = sorted(folder.glob(suite.benchmarks.files))
    if not files:
        raise CompatError(f"{suite.name}: no {suite.benchmarks.files} in its source distribution")
    timing: dict[str, dict[str, list[list[float]]]] = {variant: {} for variant in variants}
    failures: dict[str, None] = {}
    with terminal.tasks() as tasks:
        label = f"{suite.name} benchmarks"
        steps = tasks.add(label, len(files) * passes * len(variants))
        done = 0
        for number in range(passes):
            for file in files:
                for variant in variants if number % 2 == 0 else variants[::-1]:
                    run = _for_file(runs[variant], file.relative_to(folder), number)
                    broken = _run_once(run, suite.starlette, timing[variant])
                    failures |= dict.fromkeys(f"{variant}: {text}" for text in broken)
                    done += 1
                    steps.update(done, len(files) * passes * len(variants))
    return {mode: _ratios(timing, mode, passes) for mode in variants[1:]}, list(failures)


def _prepare(
    suite: Suite,
    variants: Sequence[str],
    seconds: float,
    setting: Setting,
    terminal: Terminal,
) -> dict[str, Run]:
    assert suite.benchmarks is not None
    source = source_distribution(suite.name, suite.version, suite.sha256, setting.cache)
    python = environment_for(suite, setting.interpreter, setting.cache, terminal.say)
    folder = new_run_folder(setting.cache)
    runs = {}
    for variant in variants:
        workspace = prepare(folder / variant, source, suite.benchmarks.copy, variant)
        add_turbostar(workspace, setting.turbostar, variant)
        keyword = ("-k", setting.keyword) if setting.keyword else ()
        runs[variant] = Run(
            label=f"{suite.name} benchmarks {variant}",
            mode=variant,
            python=python,
            workspace=workspace,
            arguments=("-q", "-p", "compat_benchmark", "-p", "no:codspeed", *keyword),
            plugins=("collector", "benchmark"),
            variables={"COMPAT_MAX_TIME": str(seconds)},
            may_be_empty=True,
        )
    return runs


def _for_file(run: Run, file: Path, number: int) -> Run:
    base = run.workspace.results.parent / f"{file.stem}-{number + 1}"
    workspace = Workspace(
        run.workspace.tests,
        run.workspace.path,
        results=base.with_suffix(".jsonl"),
        log=base.with_suffix(".log"),
    )
    times = str(base.with_suffix(".times.jsonl"))
    return replace(
        run,
        label=f"{run.label} {file.name}",
        workspace=workspace,
        arguments=(*run.arguments, file.as_posix()),
        variables={**run.variables, "COMPAT_TIMES": times},
    )


class _Silent:
    def update(self, done: int, total: int) -> None:
        """The steps are shown, not the cases."""


def _run_once(run: Run, starlette: str, timing: dict[str, list[list[float]]]) -> list[str]:
    """Run one file, add its samples to *timing*, and return its failures."""
    results = execute(run, starlette, _Silent(), threading.Event())
    failures = [
        f"{test}: {outcome}: {results.messages.get(test, '')}"
        for test, outcome in results.outcomes.items()
        if outcome != "passed"
    ]
    times = Path(run.variables["COMPAT_TIMES"])
    for line in times.read_text("utf-8").splitlines() if times.exists() else []:
        measured = json.loads(line)
        # The time of a wrong answer is no time.
        if measured["samples"] and results.outcomes.get(measured["test"]) == "passed":
            timing.setdefault(measured["test"], []).append(measured["samples"])
    return failures


def _ratios(timing: Timing, mode: str, passes: int) -> list[Ratio]:
    stock, turbostar = timing[STOCK], timing[mode]
    return [
        ratio_of(test, stock[test], turbostar[test])
        for test in stock
        if len(stock[test]) == len(turbostar.get(test, ())) == passes
    ]


def show_ratios(
    ratios: Mapping[str, Sequence[Ratio]], failures: Sequence[str], terminal: Terminal
) -> None:
    """Write a table for each mode, with the geometric mean in the end, and what failed."""
    for mode, found in ratios.items():
        rows = [
            [
                item.test.removeprefix("benchmarks/"),
                f"{item.stock_us:,.1f}",
                f"{item.turbostar_us:,.1f}",
                f"{item.ratio:.2f}",
                f"{item.low:.2f} to {item.high:.2f}",
                str(item.rounds),
            ]
            for item in found
        ]
        terminal.say("")
        columns = ("benchmark", "stock µs", f"{mode} µs", "ratio", "over the passes", "rounds")
        terminal.table(columns, rows)
        if found:
            _show_means(mode, found, terminal)
    for text in failures:
        terminal.say(f"failed on {text}", "red")


def _show_means(mode: str, found: Sequence[Ratio], terminal: Terminal) -> None:
    by_file: dict[str, list[Ratio]] = {}
    for item in found:
        by_file.setdefault(item.test.partition("::")[0], []).append(item)
    terminal.say("")
    terminal.table(
        ("file", "benchmarks", "geometric mean"),
        [
            [file.removeprefix("benchmarks/"), str(len(items)), f"{_geometric_mean(items):.2f}"]
            for file, items in by_file.items()
        ],
    )
    terminal.say(
        f"{mode}: geometric mean of stock/turbostar over {len(found)} benchmarks: "
        f"{_geometric_mean(found):.2f} (above 1: turbostar takes less CPU time)",
        "bold",
    )


def ratios_as_json(
    ratios: Mapping[str, Sequence[Ratio]],
    failures: Sequence[str],
    suite: Suite,
    setting: Setting,
) -> dict[str, Any]:
    """Return all that was measured as plain data."""
    return {
        "suite": suite.name,
        "version": suite.version,
        "starlette": suite.starlette,
        "python": setting.interpreter.version,
        "failures": list(failures),
        "modes": {
            mode: {
                "geometric_mean": _geometric_mean(found) if found else None,
                "benchmarks": [vars(item) for item in found],
            }
            for mode, found in ratios.items()
        },
    }


def _geometric_mean(found: Sequence[Ratio]) -> float:
    return statistics.geometric_mean([item.ratio for item in found])
