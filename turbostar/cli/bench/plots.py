"""The geometry of the report's plots: where everything stands, in percent of a plot's width.

The template `plots.svg.jinja` draws it. Heights are in pixels, and so are letters: a plot fills
whatever width it has, and can be read on a telephone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from turbostar.cli.bench.results import Metric, MixResult
from turbostar.cli.bench.table import shown

__all__ = ["Bar", "BarPlot", "DotPlot", "Dots", "Tick", "bar_plot", "dot_plot", "ticks"]

_LABEL = 0.74  # of the width for the longest bar: its figure stands behind it
_MARGIN = 6.0  # percent on both sides of the dots


class Tick(NamedTuple):
    """A line of the grid and its number."""

    at: float
    label: str


class Bar(NamedTuple):
    """One side of one mix: its bar, the extremes of its rounds, and its figure."""

    side: str
    width: float
    low: float
    high: float
    label: str


class BarPlot(NamedTuple):
    """Two bars for each mix."""

    title: str
    ticks: list[Tick]
    rows: list[tuple[str, list[Bar]]]


class Dots(NamedTuple):
    """All ratios of a mix, in the order of their rounds, and the one in the middle."""

    name: str
    values: list[float]
    middle: float


class DotPlot(NamedTuple):
    """The ratios of each mix; `one` is where nothing differs."""

    title: str
    better: str
    ticks: list[Tick]
    one: float
    rows: list[Dots]


def bar_plot(mixes: Sequence[MixResult], metric: Metric) -> BarPlot:
    """A figure of both sides, for each mix."""
    found = [mix.figures[metric.key] for mix in mixes]
    highest = max(max(figure.stock.high, figure.turbostar.high) for figure in found)
    scale = 100 * _LABEL / highest

    def bar(side: str, value: float, low: float, high: float) -> Bar:
        label = shown(value, metric.digits)
        return Bar(side, value * scale, low * scale, high * scale, label)

    return BarPlot(
        f"{metric.label} of stock and turbostar, by mix",
        [Tick(value * scale, _number(value)) for value in ticks(0, highest)],
        [
            (
                mix.name,
                [
                    bar("stock", figure.shown_stock, figure.stock.low, figure.stock.high),
                    bar(
                        "turbostar",
                        figure.shown_turbostar,
                        figure.turbostar.low,
                        figure.turbostar.high,
                    ),
                ],
            )
            for mix, figure in zip(mixes, found, strict=True)
        ],
    )


def dot_plot(mixes: Sequence[MixResult], metric: Metric) -> DotPlot:
    """B/A of each pair of rounds, for each mix."""
    found = [mix.figures[metric.key] for mix in mixes]
    values = [1.0, *(value for figure in found for value in figure.ratios.values)]
    low, high = min(values), max(values)
    if high - low < 0.1:  # what differs by less than that is not to look like much
        low, high = low - 0.05, high + 0.05

    def at(value: float) -> float:
        return _MARGIN + (value - low) / (high - low) * (100 - 2 * _MARGIN)

    return DotPlot(
        metric.label.partition(",")[0],
        "right" if metric.more_is_better else "left",
        [Tick(at(value), _number(value)) for value in ticks(low, high)],
        at(1.0),
        [
            Dots(mix.name, [at(value) for value in figure.ratios.values], at(figure.ratio))
            for mix, figure in zip(mixes, found, strict=True)
        ],
    )


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from `low` to `high`.

    Raises:
        ValueError: `high` is not above `low`.
    """
    if high <= low:
        raise ValueError(f"{high} is not above {low}")
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.99)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:,.10g}"
