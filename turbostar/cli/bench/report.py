"""The result as one HTML page that needs nothing else."""

from __future__ import annotations

import importlib.resources
from typing import Any

import jinja2

from turbostar.cli.bench.plots import bar_plot, dot_plot
from turbostar.cli.bench.results import METRICS, Metric, MixResult, Result, standing, verdict
from turbostar.cli.bench.table import chance, shown, shown_range

__all__ = ["render"]

_TEMPLATE = "report.html.jinja"
_CLASSES = {1: "better", 0: "even", -1: "worse"}
_HEADLINES = ("cpu_us", "requests_per_second", "p99_ms", "peak_mib")
_BARS = ("cpu_us", "requests_per_second", "p50_ms", "p99_ms")
_RATIOS = ("cpu_us", "requests_per_second", "p99_ms")


def render(result: Result) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    metrics = {metric.key: metric for metric in METRICS}
    return environment.get_template(_TEMPLATE).render(
        result=result,
        chance=chance(int(result.settings["rounds"])),
        headline_mix=result.mixes[0],
        headlines=[_cell(result.mixes[0], metrics[key]) for key in _HEADLINES],
        bars=[(metrics[key], bar_plot(result.mixes, metrics[key])) for key in _BARS],
        ratios=[dot_plot(result.mixes, metrics[key]) for key in _RATIOS],
        rows=[(mix, [_cell(mix, metric) for metric in METRICS]) for mix in result.mixes],
    )


def _source(name: str) -> str:
    return importlib.resources.files("turbostar.cli.bench").joinpath(name).read_text("utf-8")


def _cell(mix: MixResult, metric: Metric) -> dict[str, Any]:
    """One figure of a mix, as the page shows it."""
    found = mix.figures[metric.key]
    return {
        "label": metric.label,
        "stock": shown(found.shown_stock, metric.digits),
        "stock_range": shown_range(found.stock, metric.digits),
        "turbostar": shown(found.shown_turbostar, metric.digits),
        "turbostar_range": shown_range(found.turbostar, metric.digits),
        "ratio": shown(found.ratio, 2),
        "ratio_range": shown_range(found.ratios, 2),
        "verdict": verdict(metric, found),
        "class": _CLASSES[standing(metric, found)],
    }
