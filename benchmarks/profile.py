"""Profile one benchmark case: where the time, the instructions or the memory of a request go.

``python -m benchmarks.profile`` lists the cases; a case is named by any unambiguous part of its
name. One side is built and asked in a tight loop under the chosen profiler.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import importlib
import importlib.util
import inspect
import os
import pstats
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.agreement import working
from benchmarks.asgi import LoopClient, Message, Work
from benchmarks.cases import Case
from benchmarks.cases.every import CASES
from benchmarks.sides import SIDES, Side
from turbostar.cli.errors import UserError

__all__ = ["CASES", "find_case", "main"]

_ROOT = Path(__file__).resolve().parent.parent
_BATCH_SECONDS = 0.05
_LINES = 25
_FEW, _MANY = 50, 250  # requests under callgrind; their difference is free of start-up
_MEMORY_REQUESTS = 2_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.case is None:
            _say(*(case.name for case in CASES))
            return 0
        case, side = find_case(options.case), SIDES[options.side]
        _MODES[options.mode](case, side, options)
        return 0
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter's last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return 130


def find_case(wanted: str) -> Case:
    """The case of that name, or the only one whose name begins with it, or contains it.

    Raises:
        UserError: there is none, or there are several.
    """
    wanted = wanted.lower()
    found = [case for case in CASES if wanted in case.name.lower()]
    begun = [case for case in found if case.name.lower().startswith(wanted)]
    same = [case for case in begun if case.name.lower() == wanted]
    for cases in (same, begun, found):
        if len(cases) == 1:
            return cases[0]
    if not found:
        raise UserError(f"no case is called {wanted!r}; leave the name out for a list of them")
    names = ", ".join(repr(case.name) for case in found)
    raise UserError(f"{wanted!r} is part of the names of several cases: {names}; give one of them")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.profile", description=__doc__)
    parser.add_argument("case", nargs="?", help="a case; without one they are listed")
    parser.add_argument("--side", choices=list(SIDES), default="turbostar")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to ask (5)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="of --cprofile, --pyspy or --instructions"
    )
    parser.add_argument("--requests", type=int, help=argparse.SUPPRESS)
    modes = parser.add_mutually_exclusive_group()
    for name, explained in (
        ("cprofile", "functions by their own time (the default)"),
        ("pyspy", "a flame graph as SVG, by py-spy"),
        ("lines", "time of each line on the way of a request, by line_profiler"),
        ("memory", "what a request allocates, and what it leaves behind, by tracemalloc"),
        ("instructions", "instructions per request, by valgrind's callgrind"),
        ("plain", "no profiler: for one that is attached from outside"),
    ):
        modes.add_argument(
            f"--{name}", dest="mode", action="store_const", const=name, help=explained
        )
    parser.set_defaults(mode="cprofile")
    return parser


def _cprofile(case: Case, side: Side, options: argparse.Namespace) -> None:
    profiler = cProfile.Profile()

    def profiled(work: Work) -> int:
        with profiler:
            return _ask_for(work, options.seconds)

    done = _with_work(case, side, profiled)
    stats = pstats.Stats(profiler, stream=sys.stdout)
    _say(f"{case.name}, {side.name}: {done:,} requests; times include the profiler's own")
    stats.sort_stats("tottime").print_stats(_LINES)
    if options.output:
        stats.dump_stats(options.output)
        _say(f"written to {options.output}; show it with python -m pstats, or snakeviz")


def _pyspy(case: Case, side: Side, options: argparse.Namespace) -> None:
    spy = _program("py-spy", "pip install py-spy")
    slug = re.sub(r"\W+", "-", case.name).strip("-").lower()
    output = options.output or Path(f"profile-{slug}-{side.name}.svg")
    command = [spy, "record", "--rate", "500", "--output", str(output.resolve()), "--"]
    command += [*_again(case, side), "--plain", "--seconds", str(options.seconds)]
    done = subprocess.run(command, cwd=_ROOT, check=False)
    if done.returncode:
        raise UserError(f"py-spy ended with status {done.returncode}; its message is above")
    _say(f"written to {output}")


def _lines(case: Case, side: Side, options: argparse.Namespace) -> None:
    if importlib.util.find_spec("line_profiler") is None:
        raise UserError("--lines needs line_profiler; pip install line_profiler")
    profiler = importlib.import_module("line_profiler").LineProfiler()

    def profiled(work: Work) -> int:
        work(1)  # whatever is imported late is there now
        for function in _functions(side):
            profiler.add_function(function)
        profiler.enable_by_count()
        try:
            return _ask_for(work, options.seconds)
        finally:
            profiler.disable_by_count()

    _with_work(case, side, profiled)
    profiler.print_stats(stream=sys.stdout, stripzeros=True, output_unit=1e-6)


def _functions(side: Side) -> list[Any]:
    """The functions and methods that the loaded modules of Starlette and of the side define."""
    found: list[Any] = []
    packages = {"starlette", side.package}
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    for name in [name for name in names if not name.startswith("turbostar.cli")]:
        for value in list(vars(sys.modules[name]).values()):
            if getattr(value, "__module__", None) != name:
                continue
            members = vars(value).values() if inspect.isclass(value) else [value]
            found += [member for member in members if inspect.isfunction(member)]
    return [function for function in found if not hasattr(function, "__wrapped__")]


def _memory(case: Case, side: Side, options: argparse.Namespace) -> None:
    app = case.build(side)
    client = _Snapshotting(case.request)
    make_scope = case.request.scopes()

    async def asking(times: int) -> None:
        for _ in range(times):
            client.begin()
            await app(make_scope(), client.receive, client.send)

    with asyncio.Runner() as runner:
        runner.run(asking(50))
        gc.collect()
        tracemalloc.start()
        try:
            runner.run(asking(10))
            before = tracemalloc.take_snapshot()
            client.wanted = True
            runner.run(asking(1))
            client.wanted = False
            gc.collect()
            start = tracemalloc.get_traced_memory()[0]
            runner.run(asking(_MEMORY_REQUESTS))
            gc.collect()
            kept = tracemalloc.get_traced_memory()[0] - start
        finally:
            tracemalloc.stop()
    if client.snapshot is None:
        raise UserError(f"{case.name} sends nothing; there is no moment to look at its memory")
    ignored = [tracemalloc.Filter(False, tracemalloc.__file__)]
    after = client.snapshot.filter_traces(ignored)
    differences = after.compare_to(before.filter_traces(ignored), "lineno")
    grown = [difference for difference in differences if difference.size_diff > 0]
    total = sum(difference.size_diff for difference in grown)
    _say(
        f"{case.name}, {side.name}: {total:,} bytes live when the answer's last message is sent, "
        f"scope and driver included; {kept / _MEMORY_REQUESTS:.1f} bytes per request kept after "
        f"{_MEMORY_REQUESTS:,}"
    )
    for difference in grown[:_LINES]:
        frame = difference.traceback[0]
        _say(
            f"{difference.size_diff:8,}  {difference.count_diff:4}  {frame.filename}:{frame.lineno}"
        )


class _Snapshotting(LoopClient):
    """Looks at the memory when the last message arrives: all of the request is still there."""

    wanted = False
    snapshot: tracemalloc.Snapshot | None = None

    async def send(self, message: Message) -> None:
        if self.wanted:
            self.snapshot = tracemalloc.take_snapshot()
        await super().send(message)


def _instructions(case: Case, side: Side, options: argparse.Namespace) -> None:
    valgrind = _program("valgrind", "install it with the system's package manager")
    counts = []
    with tempfile.TemporaryDirectory(prefix="turbostar-callgrind-") as folder:
        for requests in (_FEW, _MANY):
            output = options.output or Path(folder) / "callgrind.out"
            command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={output.resolve()}"]
            command += [*_again(case, side), "--plain", "--requests", str(requests)]
            # One seed for both runs, so that dicts and sets take the same turns.
            environment = {**os.environ, "PYTHONHASHSEED": "0"}
            done = subprocess.run(
                command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
            )
            collected = re.search(r"Collected : (\d+)", done.stderr)
            if done.returncode or collected is None:
                said = [line for line in done.stderr.splitlines() if not line.startswith("==")]
                cause = said[-1] if said else "no message"
                raise UserError(f"valgrind ended with status {done.returncode}: {cause}")
            counts.append(int(collected[1]))
    each = (counts[1] - counts[0]) / (_MANY - _FEW)
    _say(f"{case.name}, {side.name}: {each:,.0f} instructions per request, driver included")


def _plain(case: Case, side: Side, options: argparse.Namespace) -> None:
    def asked(work: Work) -> int:
        if options.requests:
            work(options.requests)
            return int(options.requests)
        return _ask_for(work, options.seconds)

    done = _with_work(case, side, asked)
    _say(f"{case.name}, {side.name}: {done:,} requests")


_MODES: dict[str, Callable[[Case, Side, argparse.Namespace], None]] = {
    "cprofile": _cprofile,
    "pyspy": _pyspy,
    "lines": _lines,
    "memory": _memory,
    "instructions": _instructions,
    "plain": _plain,
}


def _with_work(case: Case, side: Side, use: Callable[[Work], int]) -> int:
    with asyncio.Runner() as runner:
        return use(working(case, side, runner))


def _ask_for(work: Work, seconds: float) -> int:
    """Ask for that long, in batches; return the number of requests."""
    times, done = 1, 0
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        work(times)
        done += times
        if time.perf_counter() - start < _BATCH_SECONDS:
            times *= 2
    return done


def _again(case: Case, side: Side) -> list[str]:
    return [sys.executable, "-m", "benchmarks.profile", case.name, "--side", side.name]


def _program(name: str, repair: str) -> str:
    beside = Path(sys.executable).with_name(name)
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        raise UserError(f"{name} is not installed; {repair}")
    return path


def _say(*texts: str) -> None:
    sys.stdout.write("".join(f"{text}\n" for text in texts))


if __name__ == "__main__":
    sys.exit(main())
