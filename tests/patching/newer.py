"""Child process: applications on a Starlette that is newer than turbostar, and in part different.

The case, a JSON object: mode (install or swap), targets (functions that the newer Starlette has
changed: they tell of their calls). For each of them a fork imports an edited copy of Starlette.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import compileall
import importlib
import importlib.util
import json
import logging
import re
import shutil
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

# So that the forks, which import Starlette, need not import the rest.
import msgspec  # noqa: F401

from tests.patching import application
from tests.patching.asking import LOG, ask, question
from tests.patching.forks import in_fork, report
from tests.patching.instrumented import activate

ASKS = (
    *map(question, ("/", "/sync", "/items/7", "/class", "/links", "/none", "/teapot", "/boom")),
    *(
        question("/group/inner/3"),
        question("/echo", method="POST", body=b"[]"),
        question("/", method="PUT"),
    ),
    *(
        question("/socket", type="websocket"),
        question("/socket-boom", type="websocket"),
        question("/"),
    ),
)
#: Not a function: nothing is changed but the version, or the sources are not there to read.
NOTHING = "nothing"
NO_SOURCES = "no sources"


def newer_release(directory: Path) -> Path:
    """Copy Starlette into a directory, with another version, and compile it once for all copies."""
    found = importlib.util.find_spec("starlette")
    assert found is not None
    assert found.origin is not None
    release = directory / "starlette"
    shutil.copytree(Path(found.origin).parent, release, ignore=shutil.ignore_patterns("*.pyc"))
    init = release / "__init__.py"
    init.write_text(re.sub(r'__version__ = ".*"', '__version__ = "1.99.0"', init.read_text()))
    compileall.compile_dir(release, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return release


def newer_copy(target: str, release: Path, directory: Path) -> None:
    """Copy the newer release into a directory, with one function changed."""
    copy = directory / "starlette"
    shutil.copytree(release, copy)
    if target == NO_SOURCES:
        shutil.rmtree(copy / "__pycache__")
        compileall.compile_dir(copy, quiet=1, legacy=True)
        for source in copy.rglob("*.py"):
            source.unlink()
    elif target != NOTHING:
        module, _, path = target.partition(":")
        file = copy.joinpath(*module.split(".")[1:]).with_suffix(".py")
        file.write_text(edited(file.read_text(), path))


def edited(source: str, path: str) -> str:
    """Let one function of a module, and what is defined inside of it, tell of being called."""
    body: Any = ast.parse(source).body
    for name in path.split("."):
        (node,) = (found for found in body if getattr(found, "name", None) == name)
        body = node.body
    lines = source.splitlines(keepends=True)
    functions = [
        found
        for found in ast.walk(node)
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for function in sorted(functions, key=lambda found: found.lineno, reverse=True):
        first, *others = function.body
        if isinstance(first, ast.Expr) and others:  # a docstring comes first
            first = others[0]
        told = path if function is node else f"{path}, {function.name}"
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}newer_starlette({told!r})\n")
    return "".join(lines)


class Warnings(logging.Handler):
    """Keeps what turbostar warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


async def serve(package: str) -> list[dict[str, Any]]:
    steps = []
    for middleware in (False, True):
        LOG.clear()
        app = application.build(package, middleware=middleware)
        steps.append({"ask": f"build, {middleware}", "log": [*LOG]})
        for asked in ASKS:
            step = await ask(app, asked)
            steps.append({**step, "ask": f"{step['ask']}, {middleware}"})
    return steps


def run(mode: str, target: str, release: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        newer_copy(target, release, Path(directory))
        sys.path.insert(0, directory)
        vars(builtins)["newer_starlette"] = LOG.append
        warnings = Warnings()
        logging.getLogger("turbostar").addHandler(warnings)
        package = activate(mode)
        assert importlib.import_module("starlette").__version__ == "1.99.0"
        return {"steps": asyncio.run(serve(package)), "warnings": warnings.messages}


def main(case: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        release = newer_release(Path(directory))

        def forked(target: str) -> Any:
            return in_fork(lambda: run(case["mode"], target, release))

        return {target: forked(target) for target in case["targets"]}


if __name__ == "__main__":
    report(main(json.loads(sys.argv[1])))
