"""``python -m benchmarks.orm``: turbostar.orm, its peers and the drivers, in turns in one process.

The peers are in the dependency group ``orm-peers``; those that are not installed are left out.
PostgreSQL is the server of TURBOSTAR_POSTGRES, or that of 127.0.0.1:5432; without one, only SQLite
is measured. Every answer is checked before and after it is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import sys
import time

from benchmarks.orm.cases import CASES
from benchmarks.orm.compare import Plan, compare, every_side
from benchmarks.orm.imports import imported
from benchmarks.orm.places import SERVER
from benchmarks.orm.report import Results, against_driver, as_json, short, table, versions
from benchmarks.orm.sides import side as side_named
from benchmarks.orm.timing import Batch, Spread

ENGINES = ("sqlite", "postgresql")


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.orm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--rounds", type=int, default=9, help="rounds of each case (9)")
    options.add_argument(
        "--batch", type=float, default=60, metavar="MS", help="milliseconds of one batch (60)"
    )
    options.add_argument("--quick", action="store_true", help="3 rounds of 15 ms: a first look")
    options.add_argument("--engine", choices=ENGINES, action="append", help="only this engine")
    options.add_argument("--case", choices=CASES, action="append", help="only this case")
    options.add_argument("--side", choices=every_side(), action="append", help="only this side")
    options.add_argument("--json", metavar="FILE", help="write every batch to this file")
    options.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return options


async def reachable() -> str | None:
    """Why there is no PostgreSQL, or None if there is."""
    try:
        import asyncpg

        await (await asyncpg.connect(SERVER, timeout=5)).close()
    except (ImportError, OSError, TimeoutError) as exc:
        return f"{type(exc).__name__}: {exc}"
    return None


async def measured(options: argparse.Namespace, plan: Plan) -> dict[str, Results]:
    """The batches of every engine that is asked for and there."""

    def say(text: str) -> None:
        if not options.quiet:
            sys.stderr.write(text)
            sys.stderr.flush()

    results: dict[str, Results] = {}
    for engine in options.engine or ENGINES:
        if engine == "postgresql" and (why := await reachable()):
            sys.stderr.write(f"PostgreSQL is left out: {why}\n")
            continue
        results[engine] = await compare(engine, plan, say)
    return results


def show(results: dict[str, Results], imports: dict[str, list[Batch]]) -> None:
    """Print the tables of the documentation."""
    write = sys.stdout.write
    for engine, found in results.items():
        for measure in ("cpu", "wall"):
            write("\n".join(table(engine, found, measure)) + "\n\n")
    for line in against_driver(results.get("postgresql", {})):
        write(f"{line}\n")
    if imports:
        shown = [
            f"{name} {short(Spread.of(each.cpu for each in batches).median)}"
            for name, batches in imports.items()
        ]
        write(f"import, CPU ms: {', '.join(shown)}\n")


def main() -> None:
    """Measure, and print what was found."""
    options = parser().parse_args()
    rounds, seconds = (3, 0.015) if options.quick else (options.rounds, options.batch / 1000)
    sides = tuple(options.side or every_side())
    plan = Plan(rounds, seconds, tuple(options.case or CASES), sides)
    start = time.monotonic()
    results = asyncio.run(measured(options, plan))
    imports = {} if options.case else imported(rounds, sides)
    show(results, imports)
    known = versions(sides)
    today = datetime.date.today().isoformat()
    about = ", ".join(f"{name} {version}" for name, version in known.items())
    sys.stdout.write(f"{today}; {about}; {rounds} rounds; {time.monotonic() - start:.0f} s\n")
    for name in sides:
        if differs := side_named(name).differs:
            sys.stdout.write(f"{name}: {differs}\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            about_run = {"date": today, "rounds": rounds, "versions": known}
            json.dump({**about_run, **as_json(results, imports)}, file, indent=1)


if __name__ == "__main__":
    main()
