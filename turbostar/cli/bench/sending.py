"""Saying what a benchmark sends that may change something, and how often."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from turbostar.cli.bench.reference import replayed
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.unsafe import count_and_methods, may_change, times, unsafe_note

__all__ = ["announce", "announce_derived", "passes"]

_TO_VERIFY = "three times each to verify"


def passes(generations: int) -> int:
    """How many times a benchmark sends each request one after the other, apart from the load.

    Four passes on one stock server and two on another show what is right; two on each server of a
    generation show that it answers so.
    """
    return 6 + 2 * 2 * generations


def announce(
    console: Console, requests: Sequence[RecordedRequest], verify: bool, generations: int
) -> None:
    """Print the line to show first, if any recorded request may change something."""
    _show(console, _of_recorded(requests, verify, generations))


def announce_derived(console: Console, requests: Sequence[RecordedRequest]) -> None:
    """Print that line for requests that are derived from the routes; the load is GETs."""
    _show(console, unsafe_note(requests, _TO_VERIFY, "derived "))


def _show(console: Console, note: str | None) -> None:
    if note is not None:
        console.print(note, markup=False, soft_wrap=True)


def _of_recorded(requests: Sequence[RecordedRequest], verify: bool, generations: int) -> str | None:
    sent = replayed(requests)
    parts = [unsafe_note(requests, _TO_VERIFY) if verify else None]
    unsafe = may_change(sent)
    if unsafe:
        how_often = f"{times(passes(generations))} each to learn and check the answers"
        parts.append(unsafe_note(unsafe, how_often))
    if load := [one for one in unsafe if one.bench]:
        parts.append(f"and {count_and_methods(load)} again and again as load")
    return "; ".join(filter(None, parts)) or None
