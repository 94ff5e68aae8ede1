"""A process that runs programs in one mode, each in a fork, and says what was seen of them.

Run as ``python worker.py MODE PROGRAM...`` with MODE "stock", "swap" or "install". What the
programs import is imported once, before the forks. With PROGRAM_LOOP=uvloop they run on uvloop.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import runpy
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: No program takes so many seconds.
TIMEOUT = 60


def in_a_fork(run: Callable[[], Any], seen_as: Callable[[Any], str]) -> str:
    """Return what a function says when it runs in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        signal.alarm(TIMEOUT)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(seen_as(run))
            pipe.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found = pipe.read()
    _, status = os.waitpid(pid, 0)
    return found if status == 0 else f"{found}\nthe process ended with {status}"


def printed(run: Callable[[], Any]) -> str:
    """How a program of ``middleware`` is seen: by what it prints, and what ended it.

    Not by what the interpreter says of objects that it could not finish in good order: which of
    them comes last is up to the collector.
    """
    output, errors = Path(os.environ["PROGRAM_OUTPUT"]), Path(os.environ["PROGRAM_ERRORS"])
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    ended_by = ""
    try:
        run()
    except BaseException as exc:
        ended_by = f"ended by {type(exc).__name__}: {exc}"
    sys.stdout.flush()
    return output.read_text() + ended_by


def returned(run: Callable[[], Any]) -> str:
    """How a case of ``core`` is seen: by what it returns."""
    import drive

    try:
        found = run()
        found = asyncio.run(found) if asyncio.iscoroutine(found) else found
        return json.dumps(found, default=drive.norm, indent=1)
    except BaseException as exc:
        return json.dumps({"raised": drive.exc_of(exc), "at": traceback.format_exc()[-900:]})


def cases_of(path: Path) -> dict[str, Any]:
    """The functions of a file of ``core`` that are cases."""
    spec = importlib.util.spec_from_file_location("cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["cases"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        name.removeprefix("case_"): case
        for name, case in vars(module).items()
        if name.startswith("case_")
    }


def main(mode: str, paths: list[Path]) -> dict[str, str]:
    """Run programs; return what was seen of each, by its name."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(HERE))
    os.environ["MODE"] = mode
    if os.environ.get("PROGRAM_LOOP") == "uvloop":
        asyncio.set_event_loop_policy(importlib.import_module("uvloop").EventLoopPolicy())
    seen = {}
    for path in paths:
        if path.parent.name == "core":
            import drive

            drive.load({"swap": "swapped", "install": "installed"}.get(mode, "stock"))
            for name, case in cases_of(path).items():
                seen[f"{path.stem}:{name}"] = in_a_fork(case, returned)
        else:
            importlib.import_module("record")
            program = str(path)
            seen[path.stem] = in_a_fork(
                lambda program=program: runpy.run_path(program, run_name="__main__"), printed
            )
    return seen


if __name__ == "__main__":
    found = main(sys.argv[1], [Path(path) for path in sys.argv[2:]])
    sys.stdout.write("@@" + json.dumps(found))
