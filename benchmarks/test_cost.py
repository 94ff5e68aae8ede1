"""What turbostar costs beside the time of a request: memory, start-up, import.

Each figure comes from fresh processes, one side after the other (`benchmarks.cost`).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.conftest import Costs
from benchmarks.sides import SIDES
from benchmarks.summary import DIFFERENCE

_ROOT = Path(__file__).resolve().parent.parent
_IMPORT = """
import time
start = time.process_time()
import {}
print((time.process_time() - start) * 1000)
"""


def _run(*arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def _in_turn(commands: list[list[str]], times: int) -> tuple[list[float], list[float]]:
    """Run the command of stock and that of turbostar in turn, that many times."""
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(times):
        for side in (0, 1) if turn % 2 else (1, 0):
            found[side].append(_run(*commands[side]))
    return found


def _measured(measure: str, times: int) -> tuple[list[float], list[float]]:
    return _in_turn([["-m", "benchmarks.cost", measure, side] for side in SIDES], times)


def test_route_table_memory(costs: Costs) -> None:
    """What a large route table holds, index included, once it has answered."""
    found = _measured("route_table_memory", 1)
    costs(*found, name="memory of 10,000 routes", unit="MiB", at_most=1.5)


def test_suspended_memory(costs: Costs) -> None:
    """What each of 1,000 requests holds while all of them wait in their endpoints."""
    found = _measured("suspended_memory", 3)
    costs(*found, name="memory of a waiting request", unit="KiB", at_most=0.8)


def test_suspended_memory_below_three(costs: Costs) -> None:
    """The same below three BaseHTTPMiddleware, whose tasks and streams are held meanwhile."""
    found = _measured("suspended_memory_below_three", 3)
    costs(*found, name="memory of a request below 3 BaseHTTPMiddleware", unit="KiB", at_most=0.4)


def test_build_time(costs: Costs, request: pytest.FixtureRequest) -> None:
    """What compiling a route table costs before it pays."""
    found = _measured("build_time", request.config.getoption("--rounds"))
    costs(*found, name="1,000 routes and first request", unit="ms", at_most=1.5)


@pytest.mark.parametrize("module", ["turbostar", "turbostar.applications"])
def test_import(module: str, costs: Costs, request: pytest.FixtureRequest) -> None:
    """Above `import starlette.applications`, CPU time in a bare interpreter."""
    commands = [["-c", _IMPORT.format(name)] for name in ("starlette.applications", module)]
    _run(*commands[1])  # writes what bytecode is missing
    found = _in_turn(commands, request.config.getoption("--rounds"))
    costs(*found, name=f"import {module}", unit="ms", at_most=20, relation=DIFFERENCE)


def test_distinct_paths(costs: Costs) -> None:
    """Paths nobody has asked for before leave nothing behind."""
    found = _measured("distinct_paths", 1)
    costs(*found, name="300,000 distinct paths", unit="MiB", at_most=4, relation=DIFFERENCE)
