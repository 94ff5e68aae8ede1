"""What the rounds say side by side."""

from __future__ import annotations

import pytest

from turbostar.cli.bench.results import METRICS, Sample, compare, standing, verdict
from turbostar.cli.bench.statistics import spread

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


def test_rounds_are_paired_by_position() -> None:
    """The ratio is that of neighbours, not of the two medians."""
    stock = [_sample(10, 100), _sample(30, 100), _sample(20, 100)]
    turbostar = [_sample(5, 200), _sample(30, 200), _sample(5, 200)]
    found = compare("all", 4, stock, turbostar).figures["cpu_us"]
    assert found.stock.median == 20
    assert found.turbostar.median == 5
    assert found.ratio.values == (0.5, 1.0, 0.25)
    assert found.ratio.median == 0.5


def test_sides_of_different_length_cannot_be_compared() -> None:
    """A missing round is an error."""
    with pytest.raises(ValueError, match="paired"):
        compare("all", 1, [_sample(1, 1), _sample(1, 1)], [_sample(1, 1)])


@pytest.mark.parametrize(
    ("key", "values", "stands", "words"),
    [
        ("cpu_us", [0.5, 0.5, 0.51, 0.5, 0.5], 1, "2.00x less CPU"),
        ("cpu_us", [1.5, 1.5, 1.51, 1.5, 1.5], -1, "1.50x more CPU"),
        ("requests_per_second", [2.0, 2.0, 2.1, 2.0, 1.9], 1, "2.00x more"),
        ("requests_per_second", [0.5, 0.5, 0.5, 0.5, 0.5], -1, "2.00x fewer"),
        ("p99_ms", [0.5, 0.5, 0.5, 1.2, 0.5], 0, "within the noise"),
        ("peak_mib", [1.0, 1.001, 0.99, 1.0, 1.0], 0, "the same"),
        ("cpu_us", [1.0, 0.4, 2.0, 1.0, 1.0], 0, "within the noise"),
        ("cpu_us", [0.5, 0.5], 0, "~2.00x less CPU"),
        ("cpu_us", [1.0], 0, "the same"),
    ],
)
def test_words_follow_the_ratio(key: str, values: list[float], stands: int, words: str) -> None:
    """More and less, better and worse, and doubt where the rounds disagree or are few."""
    ratio = spread(values)
    assert standing(_BY_KEY[key], ratio) == stands
    assert verdict(_BY_KEY[key], ratio) == words
