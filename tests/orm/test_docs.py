"""The guide runs: its programs print what stands below them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import linecache
import re
import sys
import types
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "orm.md"
README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```([\w ]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def run(text: str, module: types.ModuleType, name: str) -> None:
    """Run a program that may await at top level, as in ``python -m asyncio``."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    code = compile(text, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, module.__dict__)
    if inspect.isawaitable(running):
        await running


async def play(guide: str, module: types.ModuleType) -> int:
    """Run all programs in their order; how many outputs were compared."""
    printed, shown = io.StringIO(), 0
    for number, (language, text) in enumerate(BLOCK.findall(guide)):
        if language == "text":
            assert printed.getvalue().strip() == text.strip()
            printed, shown = io.StringIO(), shown + 1
        elif language == "python":
            with contextlib.redirect_stdout(printed):
                await run(text, module, f"<block {number} of {GUIDE.name}>")
    assert printed.getvalue() == "", "something is printed that the guide does not show"
    return shown


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of output is that of the programs above it."""
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("guide_of_orm")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert asyncio.run(play(GUIDE.read_text("utf-8"), module)) > 10


def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints what its last comment says."""
    monkeypatch.chdir(tmp_path)
    section = README.read_text("utf-8").partition("## ORM\n")[2].partition("\n## ")[0]
    (program,) = [text for language, text in BLOCK.findall(section) if language == "python"]
    lines = [line for line in program.splitlines() if line.strip().startswith("print(")]
    shown = [line.partition("# ")[2] for line in lines]
    printed = io.StringIO()
    module = types.ModuleType("example_of_readme")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with contextlib.redirect_stdout(printed):
        asyncio.run(run(program, module, "<README.md>"))
    assert printed.getvalue().splitlines() == shown
    assert shown


def test_every_link_within_the_guide_leads_somewhere() -> None:
    """``(#like-this)`` is the heading of that text."""
    guide = GUIDE.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", guide), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", guide)) <= anchors
