"""The plot of the documentation: how many times cheaper a request is, drawn from its tables."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["SHOWN", "Bar", "bars_of", "draw"]

#: The cases that are drawn, from the top: those in which many applications find themselves.
SHOWN = (
    "JSON, 1 route",
    "POST JSON, 1 KiB in and out",
    "StreamingResponse, 3 chunks",
    "sync endpoint, with its thread",
    "WebSocket accept, echo, close",
    "/items/{id:int}",
    "120 routes, last parameterised",
    "400 routes, last parameterised",
    "3 nested Mounts, parameter",
    "1 BaseHTTPMiddleware",
    "3 BaseHTTPMiddleware",
    "BaseHTTPMiddleware over pure ASGI",
    "CORS, simple request",
    "Session, read",
    "GZip of 50 KiB",
)
_CELLS = 5  # of a row: the name, two times, the ratio, its spread


class Bar(NamedTuple):
    """A case and its ratio stock / turbostar, with the lowest and the highest of it."""

    name: str
    ratio: float
    low: float
    high: float


def bars_of(text: str) -> list[Bar]:
    """The cases of `SHOWN` that have a row of ratios in a Markdown text, in that order."""
    found: dict[str, Bar] = {}
    for line in text.split("\n"):
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == _CELLS and cells[0] in SHOWN and ".." in cells[4]:
            low, high = map(float, cells[4].split(".."))
            found[cells[0]] = Bar(cells[0], float(cells[3]), low, high)
    return [found[name] for name in SHOWN if name in found]


def draw(text: str, file: Path) -> None:
    """Draw the ratios of a Markdown text as SVG; the same text gives the same file."""
    import matplotlib  # slow to load

    matplotlib.use("svg")
    from matplotlib import pyplot

    bars = bars_of(text)
    settings = {"svg.hashsalt": "turbostar", "svg.fonttype": "none", "font.size": 9}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(7.5, 0.3 * len(bars) + 0.9))
        places = range(len(bars))
        spread = [[b.ratio - b.low for b in bars], [b.high - b.ratio for b in bars]]
        axes.barh(
            places,
            [b.ratio - 1 for b in bars],
            left=1,
            xerr=spread,
            color="#4878a8",
            ecolor="#202020",
            capsize=2,
            height=0.65,
        )
        for place, bar in zip(places, bars, strict=True):
            axes.text(max(bar.high, 1) * 1.08, place, f"{bar.ratio:.1f}", va="center")
        axes.set_yticks(places, [b.name for b in bars])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(0.8, max((b.high for b in bars), default=1) * 1.8)
        ticks = (1, 2, 5, 10, 20, 50)
        axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
        axes.minorticks_off()
        axes.axvline(1, color="#202020", linewidth=0.8)
        axes.set_xlabel("CPU time of stock Starlette / turbostar, logarithmic; 1: no difference")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)
    file.write_text("\n".join(map(str.rstrip, file.read_text("utf-8").splitlines())) + "\n")
