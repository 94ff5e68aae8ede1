"""Runs all programs, and all fast paths, with one defect after the other.

A process that has imported Starlette, and not turbostar, forks for each defect; so each is planted
in a fresh turbostar, and what stock answers is found out once. It reads the names of defects from
its standard input, and answers each by a line of JSON: what has caught the defect, or null.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from tests.defects.all_programs import ALL
from tests.defects.listed import DEFECTS, LOSSES
from tests.defects.program import Program, outcomes_of
from tests.defects.rewriting import plant
from tests.fast_path.all_cases import CASES
from tests.fast_path.case import MODES, Lost, check, in_mode
from tests.fast_path.structure import CHECKS

__all__ = ["Nursery"]

_BY_NAME = {defect.name: defect for defect in (*DEFECTS, *LOSSES)}


class Nursery:
    """The process that plants defects, as seen from a test; a context manager."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", __name__],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def caught(self, name: str) -> str | None:
        """Say what has caught a defect; None if nothing has.

        Raises:
            RuntimeError: it could not be planted.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        caught: str | None = answer["caught"]
        return caught


def _stocks() -> list[Any]:
    with in_mode("stock") as names:
        return [outcomes_of(program, names) for program in ALL]


def _difference(expected: list[Any]) -> str | None:
    """The first program that does not do what it does on stock."""
    for mode in MODES:
        for program, outcomes in zip(ALL, expected, strict=True):
            reason = _difference_in(program, mode, outcomes)
            if reason:
                return f"{program.name}, {mode}: {reason}"
    return None


def _difference_in(program: Program, mode: str, expected: list[Any]) -> str:
    try:
        with in_mode(mode) as names:
            outcomes = outcomes_of(program, names)
    except BaseException as exc:  # a request that waits for ever is cancelled
        return f"raised {exc!r}"
    for number, (stock, ours) in enumerate(zip(expected, outcomes, strict=True)):
        if stock != ours:
            return f"request {number}\n  stock     {stock}\n  turbostar {ours}"
    return ""


def _loss() -> str | None:
    """The first fast path that says by name what it has lost."""
    for mode in MODES:
        for case in CASES:
            if mode in case.modes:
                try:
                    check(case, mode)
                except Lost as exc:
                    return f"{case.name}, {mode}: {exc}"
        for look in CHECKS:
            try:
                look(mode)
            except Lost as exc:
                return f"{look.__name__}, {mode}: {exc}"
    return None


def _answer(name: str, expected: list[Any]) -> dict[str, Any]:
    defect = _BY_NAME.get(name)
    try:
        if defect is not None:
            plant(defect)
        if defect is not None and defect not in LOSSES:
            return {"caught": _difference(expected)}
        # Nothing but a fast path is lost; without any defect, not even that.
        return {"caught": _difference(expected) or _loss()} if not name else {"caught": _loss()}
    except BaseException:
        return {"error": traceback.format_exc()}


def main() -> None:
    """Answer each name on a line of the standard input; an empty one plants nothing."""
    time.time = lambda: 1_700_000_000.0  # for signatures that hold the time to be the same
    expected = _stocks()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            sys.stdout.write(json.dumps(_answer(line.strip(), expected)) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
