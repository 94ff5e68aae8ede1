"""What a soak has done so far: how many requests of which kinds, and what they left behind."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.soak.outcome import Outcome
from tests.soak.plans import Plan
from tests.soak.wave import Wave

__all__ = ["Tally"]

_OBJECTS = 50  # that a wave may leave over, for what measures it leaves some itself
_SUSPENDED = 5  # tasks or coroutines in all of a soak
_MIB = 2**20


class Tally:
    """Counts, wave by wave; the first wave is for warming up."""

    def __init__(self) -> None:
        self.requests = 0
        self.waves: list[Sequence[Wave]] = []
        self._kinds: set[str] = set()
        self._habits: set[tuple[str, str, str]] = set()
        self._ends: Counter[str] = Counter()

    def add(
        self, plans: Sequence[Plan], outcomes: Sequence[Outcome], waves: Sequence[Wave]
    ) -> None:
        """Count a wave; `outcomes` are those of stock, `waves` what each side made of it."""
        self.requests += len(plans)
        self._kinds.update(plan.kind for plan in plans)
        self._habits.update((plan.stack, plan.reads, plan.habit) for plan in plans)
        self._ends.update(map(_ended, outcomes))
        self.waves.append([dataclasses.replace(wave, packed=b"") for wave in waves])

    def lines(self, names: Sequence[str]) -> Iterator[str]:
        """The summary."""
        most = max(wave.in_flight for waves in self.waves for wave in waves)
        yield (
            f"{self.requests:,} requests in {len(self.waves)} waves, at most {most} at once; "
            f"{len(self._kinds)} kinds, {len(self._habits)} combinations of middleware"
        )
        shares = [f"{count / self.requests:.0%} {end}" for end, count in self._ends.most_common()]
        yield f"of them {', '.join(shares)}"
        for place, name in enumerate(names):
            growth = self._growth(place)
            yield (
                f"{name}: {growth:+,.1f} objects a wave left over, "
                f"memory {self._resident_growth(place):+.1f} MiB from the first tenth to the last"
            )

    def leaks(self, names: Sequence[str]) -> list[str]:
        """What has grown as nothing may grow that frees what it used."""
        found = []
        for place, name in enumerate(names):
            late = self._late(place)
            if self._growth(place) > _OBJECTS:
                found.append(f"{name} leaks {self._growth(place):,.0f} objects a wave")
            for what in ("tasks", "coroutines"):
                if (count := sum(getattr(wave.growth, what) for wave in late)) > _SUSPENDED:
                    found.append(f"{name} leaks {what}: {count} in {len(late)} waves")
        return found

    def _late(self, place: int) -> list[Wave]:
        """What a side made of the waves after the first."""
        return [waves[place] for waves in self.waves[1:]]

    def _growth(self, place: int) -> float:
        """Objects that a wave leaves over, in the mean."""
        late = self._late(place)
        return sum(wave.growth.objects for wave in late) / len(late) if late else 0.0

    def _resident_growth(self, place: int) -> float:
        """MiB between the highest of the first tenth and that of the last."""
        resident = [waves[place].resident for waves in self.waves[1:] or self.waves]
        tenth = max(1, len(resident) // 10)
        return (max(resident[-tenth:]) - max(resident[:tenth])) / _MIB


def _ended(outcome: Outcome) -> str:
    """How a request ended, in a word or two."""
    if outcome.raised.startswith("Cancelled"):
        return "given up on"
    if outcome.raised:
        return "raised" if outcome.complete or not outcome.answer else "raised and cut off"
    if outcome.complete:
        return "answered"
    return "cut off" if outcome.answer else "not answered"
