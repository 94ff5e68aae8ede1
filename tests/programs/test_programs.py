"""Small programs, as people write them, do the same on turbostar as on stock Starlette.

Those of ``middleware`` print what happens, those of ``core`` are functions that return it. Each
stands for a kind: of what an application, or a library beside it, may do. A new one is a file, or a
function ``case_…``, and needs no expected value: stock Starlette gives it.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path

import pytest

from tests.programs.running import MODES, difference, run, run_all

HERE = Path(__file__).parent
MIDDLEWARE = sorted(path for path in (HERE / "middleware").glob("*.py") if path.stem != "__init__")
CORE = sorted(path for path in (HERE / "core").glob("*.py") if path.stem != "__init__")

#: What differs, and why that is no fault.
DEVIATIONS = {
    "exc:send_is_coroutinefunction": "the `send` of an endpoint is a method and no function",
    "install:middleware_stack_swaps": "the page of debug mode shows a traceback with fewer frames",
}
if sys.version_info >= (3, 12):  # before, Python knew no __buffer__
    DEVIATIONS["misc:json_buffer_subclasses"] = "a dict or list with __buffer__ and its own items()"


@functools.cache
def _seen(folder: str, loop: str = "asyncio") -> dict[str, dict[str, str]]:
    return run_all(CORE if folder == "core" else MIDDLEWARE, loop)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", MIDDLEWARE, ids=lambda path: path.stem)
def test_middleware(path: Path, mode: str) -> None:
    """A program with middleware prints the same."""
    seen = _seen("middleware")
    stock, ours = seen["stock"][path.stem], seen[mode][path.stem]
    assert "ModuleNotFoundError" not in stock, "the group dev has what the programs import"
    assert difference(path, path.stem, mode, stock, ours) == ""


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", MIDDLEWARE, ids=lambda path: path.stem)
def test_middleware_on_uvloop(path: Path, mode: str) -> None:
    """It prints the same on uvloop, whose queues have to be found."""
    seen = _seen("middleware", "uvloop")
    stock, ours = seen["stock"][path.stem], seen[mode][path.stem]
    assert difference(path, path.stem, mode, stock, ours, "uvloop") == ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core(path: Path, mode: str) -> None:
    """Each case of a file returns the same, but for the deviations, which are still there."""
    seen = _seen("core")
    names = [name for name in seen["stock"] if name.startswith(f"{path.stem}:")]
    assert names
    different = {
        name: found
        for name in names
        if (found := difference(path, name, mode, seen["stock"][name], seen[mode][name]))
    }
    expected = {name for name in DEVIATIONS if name in names}
    assert {name: different[name] for name in different if name not in expected} == {}
    assert expected <= set(different), "a deviation is gone: strike it from the list"


def test_a_difference_is_seen(tmp_path: Path) -> None:
    """The comparison is one that can fail: a program that prints its mode does not pass."""
    program = tmp_path / "shows_its_mode.py"
    program.write_text("import os\nprint('mode', os.environ['MODE'])\n")
    stock = run("stock", [program])["shows_its_mode"]
    ours = run("swap", [program])["shows_its_mode"]
    assert stock == "mode stock\n"
    assert "+mode swap" in difference(program, "shows_its_mode", "swap", stock, ours)
