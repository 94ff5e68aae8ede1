"""A pytest plugin that writes the outcome of every test as JSON lines.

Loaded by ``-p compat_collector``; the file is named by ``COMPAT_RESULTS``. It must not import
Starlette or turbostar: what is loaded, and when, is part of what it reports.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

_RUNNING_PASSED = "passed"


def loaded_modules() -> dict[str, str | None]:
    """Return where starlette and turbostar were loaded from, and Starlette's version."""
    found: dict[str, str | None] = {}
    for name in ("starlette", "turbostar"):
        if name in sys.modules:
            found[name] = getattr(sys.modules[name], "__file__", None)
    if "starlette" in found:
        found["version"] = getattr(sys.modules["starlette"], "__version__", None)
    return found


# Before other plugins and the suite's conftest, which import Starlette, are loaded.
_AT_START = loaded_modules()


class Collector:
    """Writes lines of these kinds: start, total, begin, test, finish."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed with the session
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.modules: dict[str, str | None] = {}
        self.write("start", modules=_AT_START)

    def write(self, kind: str, **fields: object) -> None:
        self.file.write(json.dumps({"kind": kind, **fields}) + "\n")
        self.file.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self.write("total", total=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        self.write("total", total=len(ids))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self.modules |= getattr(node, "workeroutput", {}).get("compat_modules", {})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome == "passed":
            return
        outcome = "error" if report.failed else "skipped"
        self.write("test", test=report.nodeid, outcome=outcome, message=_message(report))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write("begin", test=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = _outcome(report)
        test = report.nodeid
        # The first phase that did not pass decides, but for an error in the teardown.
        if self.outcomes.get(test, _RUNNING_PASSED) == _RUNNING_PASSED or outcome == "error":
            self.outcomes[test] = outcome
            self.messages[test] = _message(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        outcome = self.outcomes.pop(nodeid, "error")
        message = self.messages.pop(nodeid, "no report")
        self.write("test", test=nodeid, outcome=outcome, message=message)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        # A worker of pytest-xdist that died leaves a report without an end.
        for test in list(self.outcomes):
            self.pytest_runtest_logfinish(test)
        self.write("finish", exitstatus=int(exitstatus), modules=loaded_modules() | self.modules)
        self.file.close()


class Worker:
    """Tells the controlling process of pytest-xdist what a worker has loaded."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_sessionfinish(self) -> None:
        self.config.workeroutput["compat_modules"] = loaded_modules()  # type: ignore[attr-defined]


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return "skipped" if report.skipped else "passed"


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the first line of what went wrong, or the reason of a skip."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].splitlines()[0] if report.longrepr[2] else ""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def pytest_configure(config: pytest.Config) -> None:
    """Collect in the controlling process only."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config), "compat-worker")
    else:
        collector = Collector(os.environ["COMPAT_RESULTS"])
        config.pluginmanager.register(collector, "compat-collector")
