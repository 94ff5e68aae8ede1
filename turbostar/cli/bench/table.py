"""The result as a table on the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from turbostar.cli.bench.results import (
    ENOUGH_ROUNDS,
    METRICS,
    Metric,
    MixResult,
    Result,
    standing,
    verdict,
)
from turbostar.cli.bench.statistics import Spread

__all__ = ["chance", "print_result", "shown", "shown_range"]

_STYLES = {1: "green", 0: "dim", -1: "red"}
_WIDE = 110  # columns from which the spreads of A and B fit beside that of the ratio
_NARROW = 78  # columns below which even that does not fit


def print_result(result: Result, console: Console) -> None:
    """Print the environment, the table of all mixes, and what to know about it."""
    console.print(_environment(result), style="dim", highlight=False)
    wide, narrow = console.width >= _WIDE, console.width < _NARROW
    console.print(_table(result, wide=wide, narrow=narrow))
    for line in _legend(result):
        console.print(line, style="dim", highlight=False)


def shown(value: float, digits: int) -> str:
    """The number with thousands separators and so many decimal places."""
    return f"{value:,.{digits}f}"


def shown_range(spread: Spread, digits: int) -> str:
    """The lowest and the highest value."""
    return f"{shown(spread.low, digits)}..{shown(spread.high, digits)}"


def chance(rounds: int) -> str:
    """How far so many rounds are to be trusted."""
    if rounds < ENOUGH_ROUNDS:
        return f"~ is a first impression: it takes {ENOUGH_ROUNDS} rounds to tell from the noise."
    return (
        f"Two equal servers would look different in one of {2 ** (rounds - 1)} comparisons: "
        "that often all rounds fall on one side by chance."
    )


def _table(result: Result, *, wide: bool, narrow: bool) -> Table:
    table = Table(
        title=f"{result.application}: stock Starlette (A) against turbostar (B)",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    # The title of a mix may be longer than any label below it.
    table.add_column("mix and figure", no_wrap=not narrow, max_width=19 if narrow else None)
    for side in ("A stock", "B turbo"):
        table.add_column(side, justify="right", no_wrap=True)
        if wide:
            table.add_column("min..max", no_wrap=True, style="dim")
    table.add_column("B/A", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("min..max", no_wrap=True, style="dim")
    table.add_column("turbostar", no_wrap=True)
    for mix in result.mixes:
        table.add_row(Text(_mix_title(mix), style="bold"))
        for metric in METRICS:
            table.add_row(*_row(mix, metric, wide=wide, narrow=narrow))
        table.add_section()
    return table


def _mix_title(mix: MixResult) -> str:
    return f"{mix.name}, {mix.requests} request{'s' * (mix.requests > 1)}"


def _row(mix: MixResult, metric: Metric, *, wide: bool, narrow: bool) -> list[str | Text]:
    figure = mix.figures[metric.key]
    cells: list[str | Text] = [f"  {metric.label}"]
    for value, side in (
        (figure.shown_stock, figure.stock),
        (figure.shown_turbostar, figure.turbostar),
    ):
        cells.append(shown(value, metric.digits))
        if wide:
            cells.append(shown_range(side, metric.digits))
    style = _STYLES[standing(metric, figure)]
    cells.append(Text(shown(figure.ratio, 2), style=style))
    words = verdict(metric, figure)
    if narrow:
        words = words.removeprefix("within the ")
    else:
        cells.append(shown_range(figure.ratios, 2))
    cells.append(Text(words, style=style))
    return cells


def _environment(result: Result) -> str:
    facts = result.environment
    versions = [f"{name} {facts[name]}" for name in ("Python", "starlette", "turbostar", "uvicorn")]
    server = f"served by {result.settings['server']}"
    machine = f"{facts['CPU']}, {facts['cores']} cores"
    return f"{', '.join(versions)}; {server}; {machine}; {facts['date']}"


def _legend(result: Result) -> list[str]:
    rounds = int(result.settings["rounds"])
    lines = [
        f"{rounds} round{'s' * (rounds > 1)} a side. Each row shows the pair of neighbouring "
        "rounds with the middle B/A; min..max are of all rounds.",
        "For requests/s a B/A above 1 is better; for all other figures one below 1 is better.",
        f"{result.verification.text} {result.answers_compared:,} answers under load compared.",
    ]
    lines.append(chance(rounds))
    load, cores = result.environment["load before"], result.environment["cores"]
    if load != "unknown" and cores != "unknown" and float(load) > int(cores) / 2:
        lines.append(f"The machine was busy (load {load} on {cores} cores): expect noise.")
    lines += [f"left out: {note.name}: {note.text}" for note in result.left_out]
    lines += [f"note: {note.name}: {note.text}" for note in result.notes]
    return lines
