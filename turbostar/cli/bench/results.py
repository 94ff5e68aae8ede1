"""What a benchmark found: samples of rounds, and what they say side by side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turbostar.cli.bench.reference import Note
from turbostar.cli.bench.statistics import Spread, ratios, spread

__all__ = [
    "ENOUGH_ROUNDS",
    "METRICS",
    "Comparison",
    "Metric",
    "MixResult",
    "Result",
    "Sample",
    "Verification",
    "compare",
    "standing",
    "verdict",
]


ENOUGH_ROUNDS = 5


class Metric(msgspec.Struct, frozen=True):
    """A figure of a round, and how to speak of it."""

    key: str
    label: str
    digits: int
    more_is_better: bool
    more: str
    less: str


METRICS = (
    Metric("requests_per_second", "requests/s", 0, True, "more", "fewer"),
    Metric("p50_ms", "p50, ms", 2, False, "longer", "shorter"),
    Metric("p99_ms", "p99, ms", 2, False, "longer", "shorter"),
    Metric("cpu_us", "CPU, µs/request", 1, False, "more CPU", "less CPU"),
    Metric("peak_mib", "memory, MiB", 1, False, "more memory", "less memory"),
)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One round on one server."""

    requests: int
    seconds: float
    servers: int
    """Which generation of server processes, from 1."""
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """User and system time of the server's process tree, per request."""
    peak_mib: float


class Comparison(msgspec.Struct, frozen=True):
    """One figure of both sides; `ratio` is turbostar divided by stock, by pairs of rounds."""

    stock: Spread
    turbostar: Spread
    ratio: Spread


class MixResult(msgspec.Struct, frozen=True):
    """The rounds of one request mix."""

    name: str
    requests: int
    """How many different requests it has."""
    figures: dict[str, Comparison]
    stock: tuple[Sample, ...]
    turbostar: tuple[Sample, ...]


class Verification(msgspec.Struct, frozen=True):
    """Whether and how the answers were compared before the load."""

    done: bool
    requests: int
    text: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All that a benchmark found."""

    schema: int = 1
    application: str
    ratio_is: str = "turbostar divided by stock, for each pair of neighbouring rounds"
    settings: dict[str, str | int | float | bool]
    environment: dict[str, str]
    verification: Verification
    answers_compared: int
    """Answers under load, all of them right."""
    mixes: tuple[MixResult, ...]
    notes: tuple[Note, ...]
    left_out: tuple[Note, ...]


def compare(
    name: str, requests: int, stock: Sequence[Sample], turbostar: Sequence[Sample]
) -> MixResult:
    """Summarise the rounds of a mix; the two sequences are paired by position.

    Raises:
        ValueError: they are empty or of different length, or a figure of stock is 0.
    """
    figures = {}
    for metric in METRICS:
        a = [getattr(sample, metric.key) for sample in stock]
        b = [getattr(sample, metric.key) for sample in turbostar]
        figures[metric.key] = Comparison(spread(a), spread(b), spread(ratios(a, b)))
    return MixResult(name, requests, figures, tuple(stock), tuple(turbostar))


def standing(metric: Metric, ratio: Spread) -> int:
    """1 if turbostar is better, -1 if worse, 0 if the rounds do not say.

    They do if there are at least `ENOUGH_ROUNDS` pairs, all on one side of 1 (which equal
    servers would be by chance once in 2**(pairs - 1) times), and the middle one is 1% away.
    """
    if len(ratio.values) < ENOUGH_ROUNDS or _straddles(ratio) or _close(ratio.median, 0.01):
        return 0
    return 1 if (ratio.median > 1) is metric.more_is_better else -1


def verdict(metric: Metric, ratio: Spread) -> str:
    """The ratio in words: how many times more or less, or that there is nothing to say."""
    if _close(ratio.median, 0.01) and all(_close(end, 0.03) for end in (ratio.low, ratio.high)):
        return "the same"
    if _straddles(ratio) or _close(ratio.median, 0.01):
        return "within the noise"
    about = "" if len(ratio.values) >= ENOUGH_ROUNDS else "~"
    if ratio.median > 1:
        return f"{about}{ratio.median:.2f}x {metric.more}"
    return f"{about}{1 / ratio.median:.2f}x {metric.less}"


def _straddles(ratio: Spread) -> bool:
    return ratio.low <= 1 <= ratio.high


def _close(ratio: float, tolerance: float) -> bool:
    return abs(ratio - 1) < tolerance
