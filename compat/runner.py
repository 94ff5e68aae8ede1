"""Runs pytest in a process of its own, follows it while it runs, and reads what it reported."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from compat.compare import Results
from compat.errors import CompatError
from compat.suites import STOCK
from compat.workspace import INJECT, Workspace

__all__ = ["Follower", "Run", "child_environment", "execute", "read_lines", "run_process"]

STALL_SECONDS = 300.0
INSTALLED_MODES = ("install", "disabled", "server")
_POLL_SECONDS = 0.1
_DUMP_SECONDS = 120  # pytest writes all stacks into the log if a test takes longer
# install() imports anyio before pytest, which would rewrite the asserts of anyio's plugin.
_IMPORTED_EARLY = (
    "-W",
    "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning",
)
_NO_TESTS = 5  # pytest's exit status if nothing was collected


class Follower(Protocol):
    """Told how far a run is."""

    def update(self, done: int, total: int) -> None:
        """Note that *done* of *total* tests have ended; *total* is 0 while unknown."""


@dataclass(frozen=True)
class Run:
    """One run of pytest: on what Python, where, in which mode, with which arguments."""

    label: str
    mode: str
    python: Path
    workspace: Workspace
    arguments: tuple[str, ...]
    pythonpath: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ("collector",)
    variables: Mapping[str, str] = field(default_factory=dict)
    may_be_empty: bool = False


def child_environment(run: Run) -> dict[str, str]:
    """Return the environment of the process: nothing of ours but what the mode asks for."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TURBOSTAR_", "COMPAT_", "PYTEST_", "COVERAGE_", "PYTHON"))
        and name != "VIRTUAL_ENV"
    }
    path = [str(INJECT / plugin) for plugin in run.plugins]
    if run.mode in INSTALLED_MODES:
        # Disabled mode calls install() too: it must do nothing there.
        path.insert(0, str(INJECT / "install"))
        environment["COMPAT_INSTALL"] = "1"
    if run.mode == "disabled":
        environment["TURBOSTAR_DISABLE"] = "1"
    if run.mode == "server":
        environment["COMPAT_SERVER"] = "1"
    if run.mode != STOCK:
        path.append(str(run.workspace.path))
    path += [str(run.workspace.tests / folder) for folder in run.pythonpath]
    environment["PYTHONPATH"] = os.pathsep.join(path)
    environment["PYTHONHASHSEED"] = "0"
    environment["COMPAT_RESULTS"] = str(run.workspace.results)
    return environment | dict(run.variables)


def execute(run: Run, starlette: str, follower: Follower, stop: threading.Event) -> Results:
    """Run *run* to its end and return its results.

    Raises CompatError, naming the log, if the process did not end as pytest does, if it was
    silent for STALL_SECONDS, or if it had loaded what its mode forbids.
    """
    started = time.monotonic()
    status = run_process(run, follower, stop)
    seconds = time.monotonic() - started
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    start: dict[str, Any] = {}
    finish: dict[str, Any] | None = None
    for line in read_lines(run.workspace.results):
        match line["kind"]:
            case "start":
                start = line["modules"]
            case "finish":
                finish = line
            case "test":
                outcomes[line["test"]] = line["outcome"]
                if line["message"]:
                    messages[line["test"]] = line["message"]
    allowed = (0, 1, _NO_TESTS) if run.may_be_empty else (0, 1)
    if finish is None or status not in allowed:
        raise CompatError(
            f"{run.label}: the test process ended with status {status} after {len(outcomes)} "
            f"tests instead of finishing; see {run.workspace.log}"
        )
    _check_modules(run, starlette, start, finish["modules"], bool(outcomes))
    return Results(outcomes, messages, seconds)


def run_process(run: Run, follower: Follower, stop: threading.Event) -> int:
    """Start pytest, follow its results until it ends, and return its exit status."""
    command = [
        *(str(run.python), "-m", "pytest", "-p", "compat_collector", "-p", "no:cacheprovider"),
        *("--rootdir", str(run.workspace.tests), "--continue-on-collection-errors"),
        *("-o", f"faulthandler_timeout={_DUMP_SECONDS}"),
        *(_IMPORTED_EARLY if run.mode in INSTALLED_MODES else ()),
        *run.arguments,
    ]
    with run.workspace.log.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=run.workspace.tests,
            env=child_environment(run),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _follow(process, run, follower, stop)
        finally:
            _kill(process)
    return process.returncode


def _follow(
    process: subprocess.Popen[bytes], run: Run, follower: Follower, stop: threading.Event
) -> None:
    done = total = position = 0
    heard = time.monotonic()
    test = "the collection"
    while process.poll() is None:
        if stop.wait(_POLL_SECONDS):
            raise CompatError(f"{run.label}: stopped")
        lines, position = _new_lines(run.workspace.results, position)
        for line in lines:
            done += line["kind"] == "test"
            total = max(total, line.get("total", 0))
            test = line.get("test", test)
        if lines:
            heard = time.monotonic()
            follower.update(done, total)
        elif time.monotonic() - heard > STALL_SECONDS:
            raise CompatError(
                f"{run.label}: nothing happened for {STALL_SECONDS:.0f} s after the start of "
                f"{test}, so it was stopped; the stacks are in {run.workspace.log}"
            )


def _new_lines(path: Path, position: int) -> tuple[list[dict[str, Any]], int]:
    """Return the complete lines of *path* beyond *position*, and the position after them."""
    if not path.exists():
        return [], position
    with path.open("rb") as file:
        file.seek(position)
        data = file.read()
    complete = data[: data.rfind(b"\n") + 1]
    return [json.loads(line) for line in complete.splitlines()], position + len(complete)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what the plugins wrote into *path*; nothing if they never came to it."""
    yield from _new_lines(path, 0)[0]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process with all that its tests have started and left."""
    if os.name == "posix":
        # Neither says more than that nothing of its group is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _check_modules(
    run: Run, starlette: str, start: dict[str, Any], finish: dict[str, Any], ran: bool
) -> None:
    """Make sure that the run was what it is taken for."""
    loaded = finish.get("turbostar")
    if run.mode == STOCK:
        if "turbostar" in finish:
            raise CompatError(f"{run.label}: turbostar was imported ({loaded}) on stock; report it")
    elif run.mode != "swap" and "turbostar" not in start:
        raise CompatError(f"{run.label}: turbostar was not installed at the start; report it")
    elif ran and not str(loaded).startswith(str(run.workspace.path)):
        raise CompatError(
            f"{run.label}: turbostar was not loaded from the sources under test but from "
            f"{loaded}; see {run.workspace.log}"
        )
    version = finish.get("version")
    if version not in (None, starlette):
        raise CompatError(
            f"{run.label}: ran on Starlette {version} and not {starlette}; delete compat/.cache"
        )
