"""What a benchmark found: samples of rounds, and what they say side by side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turbostar.cli.bench.reference import Note
from turbostar.cli.bench.statistics import Spread, middle_of, ratios, spread

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
_NEAR = 0.5  # a ratio that is no further from 1 is told in percent


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


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both sides; `ratios` are turbostar divided by stock, by pairs of rounds.

    What is shown is one pair of rounds: the one with the middle ratio (the mean of the two in the
    middle, where their number is even). So the two figures and their ratio always agree, which
    the median of each by itself would not where the machine became faster or slower meanwhile.
    """

    stock: Spread
    turbostar: Spread
    ratios: Spread
    shown_stock: float
    shown_turbostar: float

    @property
    def ratio(self) -> float:
        """Of the figures that are shown; it is the median of the ratios, or next to it."""
        return self.shown_turbostar / self.shown_stock


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
    shown_is: str = "the pair of rounds with the middle ratio"
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
        found = ratios(a, b)
        middle = middle_of(found)
        figures[metric.key] = Comparison(
            stock=spread(a),
            turbostar=spread(b),
            ratios=spread(found),
            shown_stock=sum(a[index] for index in middle) / len(middle),
            shown_turbostar=sum(b[index] for index in middle) / len(middle),
        )
    return MixResult(name, requests, figures, tuple(stock), tuple(turbostar))


def standing(metric: Metric, figure: Comparison) -> int:
    """1 if turbostar is better, -1 if worse, 0 if the rounds do not say.

    They do if there are at least `ENOUGH_ROUNDS` pairs, all on one side of 1 (which equal
    servers would be by chance once in 2**(pairs - 1) times), and the middle one is 1% away.
    """
    ratios = figure.ratios
    if len(ratios.values) < ENOUGH_ROUNDS or _straddles(ratios) or _close(figure.ratio, 0.01):
        return 0
    return 1 if (figure.ratio > 1) is metric.more_is_better else -1


def verdict(metric: Metric, figure: Comparison) -> str:
    """The ratio in words: how much more or less, or that there is nothing to say.

    Near 1 in percent ("+5 %", "-45 %"), further away in times ("1.90x more").
    """
    ratio, ratios = figure.ratio, figure.ratios
    if _close(ratio, 0.01) and all(_close(end, 0.03) for end in (ratios.low, ratios.high)):
        return "the same"
    if _straddles(ratios) or _close(ratio, 0.01):
        return "within the noise"
    about = "" if len(ratios.values) >= ENOUGH_ROUNDS else "~"
    if _close(ratio, _NEAR):
        return f"{about}{(ratio - 1) * 100:+.0f} %"
    if ratio > 1:
        return f"{about}{ratio:.2f}x {metric.more}"
    return f"{about}{1 / ratio:.2f}x {metric.less}"


def _straddles(ratios: Spread) -> bool:
    return ratios.low <= 1 <= ratios.high


def _close(ratio: float, tolerance: float) -> bool:
    return abs(ratio - 1) < tolerance
