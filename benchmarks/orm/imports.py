"""What importing a library costs, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from benchmarks.orm.timing import Batch

STATEMENTS = {
    "asyncio alone": "import asyncio",
    "turbostar": "from turbostar.orm import Database, Model",
    "Tortoise": "from tortoise import Tortoise, fields, models",
    "SQLAlchemy": "from sqlalchemy import orm; from sqlalchemy.ext import asyncio",
    "Piccolo": "from piccolo import table, columns; from piccolo.engine import sqlite",
}
PROGRAM = """import time
wall, cpu = time.perf_counter(), time.process_time()
{}
print(time.process_time() - cpu, time.perf_counter() - wall)"""
ROOT = Path(__file__).parents[2]


def imported(rounds: int, sides: Collection[str]) -> dict[str, list[Batch]]:
    """Milliseconds, by library of the sides: those that are not installed are missing."""
    found: dict[str, list[Batch]] = {}
    chosen = {
        name: statement
        for name, statement in STATEMENTS.items()
        if name in sides or name == "asyncio alone"
    }
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for number in range(rounds + 1):
            for name, statement in chosen.items():
                one = once(name, statement, environment)
                if one is not None and number > 0:  # the first compiles, and is not counted
                    found.setdefault(name, []).append(one)
    return found


def once(name: str, statement: str, environment: dict[str, str]) -> Batch | None:
    """One process; None if the library is not installed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    if done.returncode == 0:
        cpu, wall = (float(part) * 1000 for part in done.stdout.split())
        return Batch(cpu, wall)
    if "ModuleNotFoundError" not in done.stderr or name == "turbostar":
        raise RuntimeError(done.stderr)
    return None
