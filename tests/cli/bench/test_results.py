"""What the rounds say side by side."""

from __future__ import annotations

import pytest

from turbostar.cli.bench.results import METRICS, Sample, compare, standing, verdict

_BY_KEY = {metric.key: metric for metric in METRICS}


def _sample(cpu_us: float, requests_per_second: float) -> Sample:
    return Sample(
        requests=100,
        seconds=1.0,
        servers=1,
        requests_per_second=requests_per_second,
        p50_ms=1.0,
        p99_ms=2.0,
        cpu_us=cpu_us,
        peak_mib=30.0,
    )


@pytest.mark.parametrize(
    ("stock", "turbostar", "shown"),
    [
        ([10, 30, 20], [5, 30, 5], (10, 5)),
        # The machine became twice as fast: the medians, 1600 and 1800, would say otherwise.
        ([800, 850, 1600, 1700, 1650], [1520, 1600, 1800, 3300, 3200], (800, 1520)),
        ([10, 10, 10, 10], [5, 6, 8, 9], (10, 7)),
        ([10], [20], (10, 20)),
    ],
)
def test_a_row_shows_the_middle_pair(
    stock: list[int], turbostar: list[int], shown: tuple[float, float]
) -> None:
    """What is shown of both sides is of the same rounds, those with the middle ratio."""
    before, after = ([_sample(10, value) for value in side] for side in (stock, turbostar))
    figure = compare("all", 4, before, after).figures["requests_per_second"]
    assert (figure.shown_stock, figure.shown_turbostar) == shown
    assert figure.ratio == shown[1] / shown[0]
    assert figure.ratios.values == tuple(b / a for a, b in zip(stock, turbostar, strict=True))
    assert figure.ratios.low <= figure.ratio <= figure.ratios.high


def test_sides_of_different_length_cannot_be_compared() -> None:
    """A missing round is an error."""
    with pytest.raises(ValueError, match="paired"):
        compare("all", 1, [_sample(1, 1), _sample(1, 1)], [_sample(1, 1)])


@pytest.mark.parametrize(
    ("key", "values", "stands", "words"),
    [
        ("cpu_us", [0.4, 0.4, 0.41, 0.4, 0.4], 1, "2.50x less CPU"),
        ("cpu_us", [1.5, 1.5, 1.51, 1.5, 1.5], -1, "1.50x more CPU"),
        ("requests_per_second", [2.0, 2.0, 2.1, 2.0, 1.9], 1, "2.00x more"),
        ("requests_per_second", [0.5, 0.5, 0.5, 0.5, 0.5], -1, "2.00x fewer"),
        ("requests_per_second", [1.05, 1.04, 1.05, 1.06, 1.05], 1, "+5 %"),
        ("cpu_us", [0.55, 0.54, 0.55, 0.56, 0.55], 1, "-45 %"),
        ("cpu_us", [1.05, 1.04], 0, "~+4 %"),
        ("p99_ms", [0.5, 0.5, 0.5, 1.2, 0.5], 0, "within the noise"),
        ("peak_mib", [1.0, 1.001, 0.99, 1.0, 1.0], 0, "the same"),
        ("cpu_us", [1.0, 0.4, 2.0, 1.0, 1.0], 0, "within the noise"),
        ("cpu_us", [0.5, 0.5], 0, "~2.00x less CPU"),
        ("cpu_us", [1.0], 0, "the same"),
    ],
)
def test_words_follow_the_ratio(key: str, values: list[float], stands: int, words: str) -> None:
    """More and less, better and worse, and doubt where the rounds disagree or are few."""
    ones = [_sample(1, 1)] * len(values)
    figure = compare("all", 1, ones, [_sample(value, value) for value in values]).figures["cpu_us"]
    assert standing(_BY_KEY[key], figure) == stands
    assert verdict(_BY_KEY[key], figure) == words
