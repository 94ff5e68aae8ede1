"""The arithmetic of paired timing, on a clock that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks import paired
from benchmarks.paired import Ratio, measure


def _stock(times: int) -> None: ...


def _turbostar(times: int) -> None: ...


def _overhead(times: int) -> None: ...


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[int], object]]:
    """Replaces the clock: 9 µs, 3 µs and 1 µs; returns who was timed, in order."""
    microseconds = {_stock: 9.0, _turbostar: 3.0, _overhead: 1.0}
    timed: list[Callable[[int], object]] = []

    def clock(work: Callable[[int], object], repetitions: int) -> float:
        timed.append(work)
        return microseconds[work]  # type: ignore[index]

    monkeypatch.setattr(paired, "_time", clock)
    monkeypatch.setattr(paired, "repetitions_of", lambda work: 1)
    return timed


@pytest.mark.usefixtures("order")
def test_the_overhead_is_taken_off_both_sides() -> None:
    """A ratio is of what remains above the driver."""
    pair = measure(_stock, _turbostar, overhead=_overhead)
    assert pair.ratio == Ratio(4.0, 4.0, 4.0)
    assert (pair.stock.median, pair.turbostar.median) == (8.0, 2.0)
    assert measure(_stock, _turbostar).ratio.median == 3.0


def test_the_sides_take_turns(order: list[Callable[[int], object]]) -> None:
    """Batches alternate, and who goes first does too."""
    measure(_stock, _turbostar, overhead=_overhead, rounds=2, batches=2)
    forth, back = [_stock, _turbostar, _overhead], [_overhead, _turbostar, _stock]
    assert order == back * 2 + forth * 2


def test_an_inverse_keeps_its_spread_in_order() -> None:
    """turbostar / stock is low where stock / turbostar is high."""
    assert Ratio(4.0, 2.0, 5.0).inverse() == Ratio(0.25, 0.2, 0.5)
