"""The command line of the soak: how long, which sides, and what is told at the end."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from rich.console import Console

from benchmarks.sides import STOCK, TURBOSTAR, Side
from tests.clock import Spinning
from tests.soak import memory
from tests.soak.apart import InstalledRunner
from tests.soak.census import apart_from_what_is_there
from tests.soak.outcome import Difference, compare, counted
from tests.soak.plans import KINDS, Plan, schedule
from tests.soak.tally import Tally
from tests.soak.wave import SideRunner, Wave
from turbostar.cli.bench.progress import ProgressBar

__all__ = ["main", "soak"]

_JITTER = 2  # turns of the loop between any two middleware, and more, for stock against itself
_TOLD = 10  # differences that are spelled out
_MODES = ("swap", "install", "stock")


class _Runner(Protocol):
    """A side: here, or in a process of its own."""

    name: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def run(self, plans: Sequence[Plan]) -> Wave: ...


def main(arguments: Sequence[str] | None = None, other: Side = TURBOSTAR) -> int:
    """Run the command and return its exit status; `other` is what stock is compared with."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    if min(options.wave_size, options.in_flight) < 1 or options.seconds <= 0:
        sys.stderr.write("error: --seconds, --wave-size and --in-flight must be above 0\n")
        return 2
    try:
        if options.memory:
            return _memory(console)
        with apart_from_what_is_there():
            return soak(options, console, other)
    except KeyboardInterrupt:
        sys.stderr.write(f"error: interrupted; the seed was {options.seed}\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.soak",
        description="One schedule of requests on stock Starlette and on turbostar, compared.",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on (60)")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.SystemRandom().randrange(1_000_000),
        help="of the requests and of all that happens to them (another one each time)",
    )
    parser.add_argument(
        "--mode",
        choices=_MODES,
        default="swap",
        help="turbostar by swapped imports, or by install() in a process of its own; or stock "
        "against itself with other timing, which shows that the requests are fair (swap)",
    )
    parser.add_argument("--wave", type=int, help="run this wave only")
    parser.add_argument("--only", type=int, metavar="REQUEST", help="run this one of it only")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=list(KINDS),
        metavar="KIND",
        help="leave out the requests of this kind; may be repeated",
    )
    parser.add_argument("--wave-size", type=int, default=1000, help="requests of a wave (1000)")
    parser.add_argument("--in-flight", type=int, default=200, help="at once, about (200)")
    parser.add_argument(
        "--memory",
        action="store_true",
        help="instead, what 1,000 slow requests hold behind three BaseHTTPMiddleware",
    )
    return parser


def soak(options: argparse.Namespace, console: Console, other: Side) -> int:
    """Run wave after wave until the time is over or something is wrong; return the exit status."""
    tally = Tally()
    found = _Found()
    with SideRunner(STOCK, options.seed) as stock, _other(options, other) as compared:
        names = stock.name, compared.name
        console.print(f"stock and {compared.name}, seed {options.seed}")
        for plans in _waves(options, console):
            waves: list[Wave] = []
            for side in (stock, compared):
                try:
                    waves.append(side.run(plans))
                except Spinning as error:
                    console.print(f"{side.name} hangs: {error}", markup=False)
                    console.print(f"  again: {_command(options, plans[0].number)}")
                    return 1
            outcomes = [wave.outcomes() for wave in waves]
            tally.add(plans, outcomes[0], waves)
            found = _Found(compare(*outcomes), {plan.number: plan for plan in plans}, waves)
            if found.is_anything():
                break
    for line in tally.lines(names):
        console.print(line, markup=False)
    _tell(console, options, found, names)
    for leak in (leaks := tally.leaks(names)):
        console.print(leak, markup=False)
    if leaks or found.is_anything():
        console.print("[bold]FAILED[/bold]")
        return 1
    console.print("[bold]all as on stock[/bold]")
    return 0


@dataclass
class _Found:
    """What is wrong with a wave."""

    differences: list[Difference] = field(default_factory=list)
    plans: dict[int, Plan] = field(default_factory=dict)
    waves: list[Wave] = field(default_factory=list)

    def is_anything(self) -> bool:
        return bool(self.differences) or any(wave.faults for wave in self.waves)


def _other(options: argparse.Namespace, side: Side) -> _Runner:
    if options.mode == "install":
        return InstalledRunner(options.seed)
    if options.mode == "stock":
        return SideRunner(STOCK, options.seed, _JITTER + options.seed % 5)
    return SideRunner(side, options.seed)


def _waves(options: argparse.Namespace, console: Console) -> Iterator[list[Plan]]:
    """The waves that the options ask for."""
    if options.only is not None or options.wave is not None:
        number = options.wave if options.wave is not None else options.only // options.wave_size
        plans = _scheduled(options, number)
        yield [plan for plan in plans if options.only in (None, plan.number)]
        return
    began, number, told = time.monotonic(), 0, 0
    with ProgressBar(console) as bar:
        bar.expect(options.seconds)
        while (gone := time.monotonic() - began) < options.seconds or not number:
            bar.stage(f"wave {number}")
            yield _scheduled(options, number)
            number += 1
            bar.advance(time.monotonic() - began - gone)
            tenth = int((time.monotonic() - began) / options.seconds * 10)
            if tenth > told and not console.is_terminal:
                told = tenth
                console.print(f"{min(tenth * 10, 100)} %")


def _scheduled(options: argparse.Namespace, wave: int) -> list[Plan]:
    plans = schedule(options.seed, wave, options.wave_size, options.in_flight)
    return [plan for plan in plans if plan.kind not in options.without]


def _command(options: argparse.Namespace, request: int, only: bool = False) -> str:
    """What runs the wave of a request again, or the request alone."""
    told = f"python -m tests.soak --seed {options.seed} --mode {options.mode}"
    told += f" --wave {request // options.wave_size}"
    if options.wave_size != 1000:
        told += f" --wave-size {options.wave_size}"
    if options.in_flight != 200:
        told += f" --in-flight {options.in_flight}"
    if only:
        return f"{told} --only {request}"
    return told + "".join(f" --without {kind}" for kind in options.without)


def _tell(
    console: Console, options: argparse.Namespace, found: _Found, names: tuple[str, str]
) -> None:
    """Spell the first differences out, request by request."""

    def say(line: str) -> None:
        console.print(line, markup=False)

    requests: dict[int, list[Difference]] = {}
    for difference in found.differences:
        requests.setdefault(difference.number, []).append(difference)
    sorts = counted(found.differences)
    say(f"requests {', '.join(f'{sort} {count}' for sort, count in sorts.items())}")
    say(f"differences: {len(found.differences)}")
    told = list(requests)[:_TOLD]
    unfair = _unfair(options, [found.plans[number] for number in told])
    for number in told:
        say(f"\nrequest {number}: {found.plans[number]}")
        for difference in requests[number]:
            say(f"  {difference.what}")
            say(f"    {names[0]}: {_shown(difference.stock)}")
            say(f"    {names[1]}: {_shown(difference.other)}")
        if number in unfair:
            say("  stock itself gives two answers to it: the plan is unfair")
        say(f"  the wave:  {_command(options, number)}")
        say(f"  it alone:  {_command(options, number, only=True)}")
    for name, wave in zip(names, found.waves, strict=False):
        for fault in wave.faults[:_TOLD]:
            say(f"{name}: {fault}")
            say(f"  the wave:  {_command(options, min(found.plans))}")


def _unfair(options: argparse.Namespace, plans: Sequence[Plan]) -> set[int]:
    """The requests that stock answers differently when the turns of the loop fall otherwise."""
    if not plans or options.mode == "stock":
        return set()
    found = []
    for jitter in (0, 1, _JITTER):
        with SideRunner(STOCK, options.seed, jitter) as side:
            found.append(side.run(plans).outcomes())
    plain, *delayed = found
    return {difference.number for other in delayed for difference in compare(plain, other)}


def _shown(value: object) -> str:
    told = repr(value)
    return told if len(told) <= 2000 else f"{told[:2000]}... ({len(told)} characters)"


def _memory(console: Console) -> int:
    """Compare the memory that waiting requests hold."""
    stock, turbostar = memory.compared()
    ratio = turbostar / stock
    mark = "" if ratio <= memory.TARGET else ", MISSED"
    console.print(
        f"{memory.REQUESTS:,} slow requests through three BaseHTTPMiddleware, at the peak"
    )
    console.print(f"stock {stock:.1f} KiB, turbostar {turbostar:.1f} KiB a request")
    console.print(f"ratio {ratio:.2f} (target {memory.TARGET}{mark})")
    return 0
