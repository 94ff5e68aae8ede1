"""The plots of the report, as SVG whose colours are the page's own."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from turbostar.cli.bench.results import Metric, MixResult
from turbostar.cli.bench.statistics import Spread
from turbostar.cli.bench.table import shown

__all__ = ["bars", "ratio_dots"]

# Each stands for a CSS variable of the page, so that one drawing suits light and dark.
_INK, _GRID, _A, _B, _PAPER = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {
    _INK: "var(--ink)",
    _GRID: "var(--grid)",
    _A: "var(--stock)",
    _B: "var(--turbostar)",
    _PAPER: "var(--card)",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
}
_ROW = 0.52  # inches for one mix
_FRAME = 0.6  # inches for the axis and its numbers


def bars(mixes: Sequence[MixResult], metric: Metric) -> str:
    """A pair of bars for each mix, with the lowest and highest round as error bars."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, _FRAME + _ROW * len(mixes)), layout="constrained")
        axes = figure.add_subplot()
        highest = 0.0
        for row, mix in enumerate(mixes):
            found = mix.figures[metric.key]
            for side, offset, colour in ((found.stock, -0.19, _A), (found.turbostar, 0.19, _B)):
                _bar(axes, row + offset, side, colour, metric.digits)
                highest = max(highest, side.high)
        _rows(axes, mixes)
        axes.set_xlim(0, highest * 1.14)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.grid(axis="x", color=_GRID, linewidth=0.8)
        return _svg(figure, f"{metric.label} of stock and turbostar, by mix", metric.key)


def ratio_dots(mixes: Sequence[MixResult], metrics: Sequence[Metric]) -> str:
    """B/A of every pair of rounds as a dot, their median as a stroke, for each mix."""
    with matplotlib.rc_context(_STYLE):
        size = (4.2 * len(metrics), _FRAME + 0.5 + _ROW * len(mixes))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, metric in zip(panels, metrics, strict=True):
            for row, mix in enumerate(mixes):
                _dots(axes, row, mix.figures[metric.key].ratio)
            better = "right" if metric.more_is_better else "left"
            axes.set_title(f"{metric.label.partition(',')[0]} ({better} is better)", fontsize=10)
            axes.axvline(1, color=_INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
            axes.set_xlabel("B/A")
            axes.grid(color=_GRID, linewidth=0.8)
            axes.margins(x=0.1)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            _rows(axes, mixes)
        return _svg(figure, "B/A of every pair of rounds, by mix and figure", "ratios")


def _bar(axes: Axes, position: float, side: Spread, colour: str, digits: int) -> None:
    axes.barh(position, side.median, height=0.36, color=colour)
    axes.plot([side.low, side.high], [position, position], color=_INK, linewidth=1.2)
    for end in (side.low, side.high):
        axes.plot([end, end], [position - 0.08, position + 0.08], color=_INK, linewidth=1.2)
    axes.annotate(
        shown(side.median, digits),
        (side.high, position),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
    )


def _dots(axes: Axes, row: int, ratio: Spread) -> None:
    count = len(ratio.values)
    # The rounds in their order, from top to bottom: a drift would show as a slope.
    heights = [row + (number - (count - 1) / 2) / max(count, 8) * 0.6 for number in range(count)]
    axes.scatter(ratio.values, heights, s=30, color=_B, edgecolors=_PAPER, linewidths=0.6, zorder=3)
    axes.plot([ratio.median] * 2, [row - 0.34, row + 0.34], color=_INK, linewidth=2, zorder=2)


def _rows(axes: Axes, mixes: Sequence[MixResult]) -> None:
    axes.set_yticks(range(len(mixes)), [mix.name for mix in mixes])
    axes.tick_params(length=0)
    axes.set_ylim(len(mixes) - 0.45, -0.55)


def _svg(figure: Figure, title: str, salt: str) -> str:
    """The drawing as an element to stand in a page, without anything from outside."""
    output = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(output, format="svg", transparent=True, metadata={"Date": None})
    text = output.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    # The page sets the width; ids are made unique, for all drawings share one document.
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{salt}-", text)
    for placeholder, variable in _VARIABLES.items():
        text = text.replace(placeholder, variable)
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
