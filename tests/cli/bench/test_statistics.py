"""Percentiles, spreads and ratios."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from turbostar.cli.bench.statistics import percentile, ratios, spread

_POSITIVE = st.floats(0.001, 1e6)


def test_spread_keeps_the_order() -> None:
    """A spread has the median, the extremes, and the values as they came."""
    found = spread([3.0, 1.0, 2.0, 10.0])
    assert (found.median, found.low, found.high) == (2.5, 1.0, 10.0)
    assert found.values == (3.0, 1.0, 2.0, 10.0)


def test_nothing_has_no_spread() -> None:
    """No measurement is an error, not a zero."""
    with pytest.raises(ValueError, match="no measurement"):
        spread([])


def test_percentile_is_a_value_that_occurred() -> None:
    """The nearest rank is taken, nothing is interpolated."""
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7.0


@given(st.lists(_POSITIVE, min_size=1), st.floats(0.1, 100))
def test_percentile_covers_its_share(values: list[float], percent: float) -> None:
    """At least that share of the values is not above the percentile."""
    ordered = sorted(values)
    found = percentile(ordered, percent)
    covered = sum(value <= found for value in ordered)
    assert covered * 100 >= percent * len(ordered) * (1 - 1e-12)


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentile_refuses(values: list[float], percent: float) -> None:
    """No values, or no percentage, is an error."""
    with pytest.raises(ValueError, match="percent"):
        percentile(values, percent)


def test_ratios_are_taken_by_pairs() -> None:
    """A machine that becomes slower half-way changes both of a pair, and not their ratio."""
    assert ratios([10.0, 20.0, 40.0], [5.0, 10.0, 20.0]) == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([0.0], [1.0])])
def test_ratios_need_pairs(a: list[float], b: list[float]) -> None:
    """An unpaired round or a zero of A is an error."""
    with pytest.raises(ValueError, match="A"):
        ratios(a, b)


@given(st.lists(st.tuples(_POSITIVE, _POSITIVE), min_size=1))
def test_swapping_the_sides_inverts_the_ratios(pairs: list[tuple[float, float]]) -> None:
    """B/A and A/B say the same."""
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for forth, back in zip(ratios(a, b), ratios(b, a), strict=True):
        assert forth * back == pytest.approx(1)
