"""Runs suites on stock and on turbostar and compares: the plan, the runs, the judgement."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from compat.compare import Comparison, Results, compare
from compat.environments import Interpreter, environment_for
from compat.errors import CompatError
from compat.expected import Expected
from compat.runner import Run, execute
from compat.sources import source_distribution
from compat.suites import STOCK, Suite
from compat.terminal import Tasks, Terminal
from compat.workspace import add_turbostar, new_run_folder, prepare

__all__ = ["Setting", "Verdict", "check_suites", "modes_of"]


@dataclass(frozen=True)
class Setting:
    """What is the same for all runs of one invocation."""

    interpreter: Interpreter
    turbostar: Path
    cache: Path
    jobs: int
    keyword: str | None = None


@dataclass(frozen=True)
class Verdict:
    """One suite in one mode, beside stock."""

    suite: Suite
    mode: str
    stock: Results
    turbostar: Results
    comparison: Comparison


def modes_of(suite: Suite, wanted: Sequence[str]) -> list[str]:
    """Return the modes of *suite* among *wanted*, which may be empty or hold "all"."""
    return [mode for mode in suite.modes if not wanted or "all" in wanted or mode in wanted]


def check_suites(
    suites: Sequence[Suite],
    modes: Sequence[str],
    expected: Sequence[Expected],
    setting: Setting,
    terminal: Terminal,
) -> tuple[list[Verdict], list[str]]:
    """Run every suite on stock and in its modes; return verdicts, and errors of runs that broke.

    Raises CompatError if a suite or its environment cannot be had.
    """
    folder = new_run_folder(setting.cache)
    plan: dict[tuple[str, str], tuple[Suite, Run]] = {}
    for suite in suites:
        for mode in (STOCK, *modes_of(suite, modes)):
            plan[suite.name, mode] = (suite, _prepare(suite, mode, folder, setting, terminal))
    results, errors = _execute_all(plan, setting.jobs, terminal)
    verdicts = []
    for (name, mode), (suite, _) in plan.items():
        if mode == STOCK or (name, STOCK) not in results or (name, mode) not in results:
            continue
        ignored = suite.ignored_in(mode)
        stock, turbostar = (results[name, which].without(ignored) for which in (STOCK, mode))
        version = setting.interpreter.version
        applying = [item for item in expected if item.applies_to(name, mode, version)]
        # Another Starlette's tests are not those the list was written for.
        partial = setting.keyword is not None or suite.sha256 is None
        comparison = compare(stock, turbostar, applying, partial=partial)
        verdicts.append(Verdict(suite, mode, stock, turbostar, comparison))
    return verdicts, errors


def _prepare(suite: Suite, mode: str, folder: Path, setting: Setting, terminal: Terminal) -> Run:
    source = source_distribution(suite.name, suite.version, suite.sha256, setting.cache)
    python = environment_for(suite, setting.interpreter, setting.cache, terminal.say)
    workspace = prepare(folder / suite.name / mode, source, suite.copy, mode)
    add_turbostar(workspace, setting.turbostar, mode)
    keyword = ("-k", setting.keyword) if setting.keyword else ()
    return Run(
        label=f"{suite.name} {mode}",
        mode=mode,
        python=python,
        workspace=workspace,
        arguments=(*suite.flags_for(mode), *keyword, *suite.tests),
        pythonpath=suite.pythonpath,
        variables=suite.variables,
        may_be_empty=setting.keyword is not None,
    )


def _execute_all(
    plan: dict[tuple[str, str], tuple[Suite, Run]], jobs: int, terminal: Terminal
) -> tuple[dict[tuple[str, str], Results], list[str]]:
    stop = threading.Event()
    results: dict[tuple[str, str], Results] = {}
    errors: list[str] = []
    with terminal.tasks() as tasks, ThreadPoolExecutor(jobs) as pool:
        futures: dict[tuple[str, str], Future[Results]] = {
            key: pool.submit(_execute_one, run, suite, tasks, stop)
            for key, (suite, run) in plan.items()
        }
        try:
            for key, future in futures.items():
                try:
                    results[key] = future.result()
                except CompatError as error:
                    errors.append(str(error))
        finally:
            # On Ctrl-C the runs still going are ended, and those waiting never begin.
            stop.set()
            pool.shutdown(cancel_futures=True)
    return results, errors


def _execute_one(run: Run, suite: Suite, tasks: Tasks, stop: threading.Event) -> Results:
    results = execute(run, suite.starlette, tasks.add(run.label), stop)
    return results.with_steady_ids(suite.random_ids)
