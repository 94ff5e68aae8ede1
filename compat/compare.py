"""Compares two runs of a suite test by test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from compat.errors import CompatError
from compat.expected import Expected

__all__ = ["MISSING", "OUTCOMES", "Comparison", "Difference", "Results", "compare"]

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
MISSING = "missing"
_BROKEN = frozenset({"failed", "error"})


@dataclass(frozen=True)
class Results:
    """What one run of a suite said: outcome and first line of the message by test."""

    outcomes: Mapping[str, str]
    messages: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def without(self, prefixes: Collection[str]) -> Results:
        """Return these results without the tests whose id begins with one of *prefixes*."""
        if not prefixes:
            return self
        kept = {
            test: outcome
            for test, outcome in self.outcomes.items()
            if not test.startswith(tuple(prefixes))
        }
        return Results(kept, self.messages, self.seconds)

    def with_steady_ids(self, patterns: Iterable[str]) -> Results:
        """Return these results with RANDOM for what *patterns* match in the ids of tests.

        Raises CompatError if two tests would have one id, for only one of them would be compared.
        """
        steady = {test: test for test in (*self.messages, *self.outcomes)}
        for pattern in patterns:
            steady = {test: re.sub(pattern, "RANDOM", name) for test, name in steady.items()}
        names = Counter(steady.values())
        if alike := [name for name, number in names.items() if number > 1]:
            raise CompatError(
                f"{alike[0]} is the id of {names[alike[0]]} tests when `random_ids` of the suite "
                "are replaced; correct the patterns"
            )
        return Results(
            {steady[test]: outcome for test, outcome in self.outcomes.items()},
            {steady[test]: message for test, message in self.messages.items()},
            self.seconds,
        )

    def counts(self) -> dict[str, int]:
        """Return how many tests ended in each outcome that occurred."""
        counter = Counter(self.outcomes.values())
        return {outcome: counter[outcome] for outcome in OUTCOMES if counter[outcome]}


@dataclass(frozen=True)
class Difference:
    """A test that did not end alike; ``message`` is of the run in which it broke."""

    test: str
    stock: str
    turbostar: str
    message: str = ""


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison; ``stock_failures`` fail in both runs and do not count."""

    differences: list[Difference]
    expected: list[tuple[Difference, str]]
    stale: list[Expected]
    stock_failures: list[str]

    @property
    def parity(self) -> bool:
        """Whether nothing differs but what is listed, and all that is listed differs."""
        return not self.differences and not self.stale


def compare(
    stock: Results, turbostar: Results, expected: Iterable[Expected], *, partial: bool = False
) -> Comparison:
    """Compare two runs; *expected* holds the entries that apply to this suite, mode and Python.

    Outcomes must be equal; only "failed" and "error" are one, for a test that is broken on stock
    may break in another phase. With *partial* (some tests were deselected) a listed test that
    neither run had is not stale.
    """
    listed = {item.test: item for item in expected}
    differences: list[Difference] = []
    wanted: list[tuple[Difference, str]] = []
    broken: list[str] = []
    for test in [*stock.outcomes, *(turbostar.outcomes.keys() - stock.outcomes.keys())]:
        before = stock.outcomes.get(test, MISSING)
        after = turbostar.outcomes.get(test, MISSING)
        if before in _BROKEN and after in _BROKEN:
            broken.append(test)
        elif before != after:
            difference = Difference(test, before, after, _message(test, stock, turbostar, after))
            if test in listed:
                wanted.append((difference, listed[test].reason))
            else:
                differences.append(difference)
    differing = {difference.test for difference, _ in wanted}
    present = stock.outcomes.keys() | turbostar.outcomes.keys()
    stale = [
        item
        for test, item in listed.items()
        if test not in differing and (test in present or not partial)
    ]
    return Comparison(sorted(differences, key=lambda item: item.test), wanted, stale, broken)


def _message(test: str, stock: Results, turbostar: Results, after: str) -> str:
    source = stock if after in ("passed", MISSING) else turbostar
    return source.messages.get(test, "")
