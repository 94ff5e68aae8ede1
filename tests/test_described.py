"""Names, signatures and annotations are Starlette's: dashboards and frameworks go by them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from turbostar._guard.table import TABLE

# What routes and routers have in addition, to see changes; `object` has it on Starlette.
WATCHED = ("__setattr__", "__delattr__")


@functools.cache
def described(mode: str) -> dict[str, dict[str, str]]:
    command = [sys.executable, "-m", "tests.described", mode]
    # Starlette has the environment among its defaults, and pytest changes that for each test.
    same = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        command, env=same, capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return {path: what for path, what in found.items() if not path.endswith(WATCHED)}


@pytest.mark.parametrize("mode", ["swap", "install"])
def test_public_names_look_as_on_stock(mode: str) -> None:
    """Each public class, function and method has Starlette's names, signature and annotations."""
    stock, ours = described("stock"), described(mode)
    assert ours.keys() == stock.keys()
    assert {path: ours[path] for path in ours if ours[path] != stock[path]} == {}


def test_the_walk_finds_what_is_replaced() -> None:
    """Each row of the table that replaces a function is among what is compared."""
    seen = described("stock")
    functions = [entry for entry in TABLE if _is_function(entry.replacement)]
    paths = {entry.target.replace(":", ".") for entry in functions} - {
        entry.target.replace(":", ".") for entry in TABLE if entry.name in WATCHED
    }
    assert len(paths) > 25
    assert paths - seen.keys() == set()


def _is_function(value: Any) -> bool:
    return callable(value) or isinstance(value, property)


def test_what_monitoring_is_keyed_on() -> None:
    """The names of one method, written out, so that the comparison cannot be of nothing."""
    found = described("install")["starlette.applications.Starlette.__call__"]
    assert found["module"] == "starlette.applications"
    assert found["qualname"] == "Starlette.__call__"
    assert found["signature"].startswith("(self, scope: 'Scope'")
    assert "MutableMapping" in found["evaluated signature"]
