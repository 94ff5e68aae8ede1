"""``python -m benchmarks.di``: turbostar.di and its peers, in turns in one process.

The peers are in the dependency group ``di-peers``; those that are not installed are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.metadata
import json
import statistics
import sys
import time
import tracemalloc
from typing import Any

from benchmarks.di.scale import scale
from benchmarks.di.served import served
from benchmarks.di.sides import CASES, SIDES, Case

EXPECTED = {
    "handler": "Service",
    "handler_teardown": "Session",
    "scope_and_service": "Session",
    "singleton": "Engine",
    "teardown": "Session",
    "three_resolves": "Service",
    "only_scope": "NoneType",
}


async def made() -> dict[str, Any]:
    """The sides whose libraries are installed, started."""
    found = {}
    for side in SIDES:
        try:
            one = side()
        except ImportError as exc:
            sys.stderr.write(f"{side.name} is left out: {exc}\n")
            continue
        await one.start()
        found[side.name] = one
    return found


async def timed(case: Case, number: int) -> float:
    """Microseconds of CPU time for one run of a case, the loop around it included."""
    gc.collect()
    gc.disable()
    start = time.process_time_ns()
    for _ in range(number):
        await case()
    spent = time.process_time_ns() - start
    gc.enable()
    return spent / number / 1000


async def compare(sides: dict[str, Any], rounds: int, number: int) -> dict[str, Any]:
    """Time every case of every side, in turns: the fastest round, the median, the slowest."""
    results: dict[str, Any] = {}
    for name in CASES:
        cases: dict[str, Case] = {}
        for side, one in sides.items():
            try:
                cases[side] = getattr(one, name)()
            except NotImplementedError:
                continue
            answer = type(await cases[side]()).__name__
            assert answer == EXPECTED[name], f"{side} answers {name} with {answer}"
        times: dict[str, list[float]] = {side: [] for side in cases}
        for _ in range(rounds):
            for side, case in cases.items():
                times[side].append(await timed(case, number))
        results[name] = {
            side: [min(each), statistics.median(each), max(each)] for side, each in times.items()
        }
    return results


async def memory(sides: dict[str, Any]) -> dict[str, float]:
    """Bytes held by an open scope with three services, by side."""
    from benchmarks.di.services import Repo, Service, Session

    found = {}
    openers = {
        "turbostar": lambda side: side.plain.scope(),
        "wireup": lambda side: side.plain.enter_scope(),
        "dishka": lambda side: side.plain(),
    }
    for name, opener in openers.items():
        if name not in sides:
            continue
        kept = []
        for measured in (False, True):
            kept.clear()
            gc.collect()
            if measured:
                tracemalloc.start()
            for _ in range(1000):
                manager = opener(sides[name])
                scope = await manager.__aenter__()
                for key in (Session, Repo, Service):
                    await scope.get(key)
                kept.append((manager, scope))
        found[name] = tracemalloc.get_traced_memory()[0] / 1000
        tracemalloc.stop()
    return found


def show(results: dict[str, Any], sides: dict[str, Any]) -> None:
    """Print the tables of the documentation."""
    write = sys.stdout.write
    names = list(sides)
    write(f"| case, µs | {' | '.join(names)} | best async peer / turbostar |\n")
    write(f"|---|{'---:|' * (len(names) + 1)}\n")
    for name, about in CASES.items():
        row = results["cases"][name]
        cells = [f"{row[side][0]:.2f}" if side in row else "-" for side in names]
        best = min((row[side][0] for side in row if side not in ("turbostar", "rodi")), default=0)
        write(f"| {about} | {' | '.join(cells)} | {best / row['turbostar'][0]:.2f} |\n")
    write("\n| | turbostar | best peer |\n|---|---:|---:|\n")
    held = results["memory"]
    best = min((each for name, each in held.items() if name != "turbostar"), default=0)
    write(f"| bytes of a scope with three services | {held['turbostar']:.0f} | {best:.0f} |\n")
    for about, value in results["scale"].items():
        write(f"| {about} | {value:.2f} | |\n")
    for about, (ours, theirs) in results["served"].items():
        write(f"| {about} | {ours:.2f} | {theirs:.2f} |\n")


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.di", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--number", type=int, default=20_000, help="runs in a round")
    parser.add_argument("--json", help="write all figures to this file")
    options = parser.parse_args()
    loop = asyncio.new_event_loop()
    sides = loop.run_until_complete(made())
    results = {
        "versions": {
            name: importlib.metadata.version(name.lower()) for name in sides if name != "turbostar"
        },
        "cases": loop.run_until_complete(compare(sides, options.rounds, options.number)),
        "memory": loop.run_until_complete(memory(sides)),
        "scale": scale(),
        "served": loop.run_until_complete(served(options.rounds, options.number // 10)),
    }
    loop.close()
    show(results, sides)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
