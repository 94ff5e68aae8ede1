"""The report: the geometry of its plots, and the page in a browser, if there is one."""

from __future__ import annotations

import html
import io
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

import msgspec
import pytest
from rich.console import Console

from turbostar.cli.bench.plots import bar_plot, dot_plot, ticks
from turbostar.cli.bench.reference import Note
from turbostar.cli.bench.results import METRICS, MixResult, Result, Sample, Verification, compare
from turbostar.cli.bench.table import print_result

pytest.importorskip("jinja2")

# The name of a browser that must be there, as in CI; else any of these will do.
_WANTED = os.environ.get("TURBOSTAR_BROWSER")
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_LONG = "a mix with quite a long name, and <angle> brackets"


def _sample(scale: float) -> Sample:
    return Sample(
        requests=1000,
        seconds=1.0,
        servers=1,
        requests_per_second=12_345.6 / scale,
        p50_ms=1.5 * scale,
        p99_ms=4.25 * scale,
        cpu_us=80.0 * scale,
        peak_mib=41.0,
    )


def _mix(name: str, *scales: float) -> MixResult:
    stock = [_sample(1 + 0.01 * number) for number in range(len(scales))]
    return compare(name, 3, stock, [_sample(scale) for scale in scales])


@pytest.fixture
def mixes() -> list[MixResult]:
    """A mix where turbostar is better, one where it is worse, and one of a single round."""
    return [_mix("all", 0.5, 0.51, 0.52, 0.49, 0.5), _mix(_LONG, 1.3, 1.2, 1.4), _mix("one", 1)]


def test_bars_leave_room_for_their_figures(mixes: list[MixResult]) -> None:
    """The longest bar ends well before the plot does, and the extremes enclose each bar."""
    for metric in METRICS:
        plot = bar_plot(mixes, metric)
        bars = [bar for _, pair in plot.rows for bar in pair]
        assert max(bar.high for bar in bars) == pytest.approx(74)
        assert all(0 < bar.low <= bar.width <= bar.high for bar in bars)
        assert [name for name, _ in plot.rows] == ["all", _LONG, "one"]


def test_dots_are_inside_and_so_is_one(mixes: list[MixResult]) -> None:
    """Whatever the ratios are, "no difference" is in the plot."""
    for metric in METRICS:
        plot = dot_plot(mixes, metric)
        places = [plot.one, *(at for row in plot.rows for at in (*row.values, row.middle))]
        assert all(6 <= place <= 94 for place in places)
        assert [len(row.values) for row in plot.rows] == [5, 3, 1]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (0, 7, [0, 2, 4, 6]),
        (0.95, 1.05, [0.95, 0.975, 1.0, 1.025, 1.05]),
        (0, 12_345, [0, 5000, 10_000]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    """The grid has a handful of lines, at numbers that one can read."""
    assert ticks(low, high) == pytest.approx(expected)


def test_ticks_need_a_range() -> None:
    """Nothing from nothing to nothing."""
    with pytest.raises(ValueError, match="not above"):
        ticks(1, 1)


@pytest.fixture
def result(mixes: list[MixResult]) -> Result:
    """A result with all that there may be to show."""
    environment = dict.fromkeys(("Python", "starlette", "turbostar", "uvicorn"), "1.2.3")
    environment |= {"CPU": "Processor of many words @ 3.00GHz", "cores": "2", "load before": "0.1"}
    environment["date"] = "2030-01-01 00:00 UTC"
    settings: dict[str, Any] = {"rounds": 5, "seconds": 3.0, "restarts": 2, "connections": 32}
    settings |= {
        "load": "turbostar's own",
        "event loop": "uvloop",
        "server": "uvicorn with httptools",
    }
    settings["pinned to cores"] = True
    return Result(
        application="main:<app>",
        settings=settings,
        environment=environment,
        verification=Verification(True, 3, "Verified first: 3 of 3."),
        answers_compared=123_456,
        mixes=tuple(mixes),
        notes=(Note("GET /" + "long/" * 40, "stock's answers vary: status only"),),
        left_out=(),
    )


@pytest.fixture
def page(result: Result) -> str:
    """Its report."""
    from turbostar.cli.bench.report import render

    return render(result)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_terminal(result: Result, width: int) -> None:
    """No line is wider than the terminal, and no figure is cut off."""
    mixes = (result.mixes[0], result.mixes[2])
    screen = io.StringIO()
    print_result(
        msgspec.structs.replace(result, mixes=mixes, notes=()), Console(file=screen, width=width)
    )
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in screen.getvalue()
    figures = [f"{mix.figures['requests_per_second'].shown_stock:,.0f}" for mix in mixes]
    found = [line.split()[1] for line in lines if line.startswith("   requests/s")]
    assert found == figures


def test_names_are_escaped(page: str) -> None:
    """What applications and mixes are called is text, in plots too."""
    assert "<angle>" not in page
    assert "<app>" not in page
    assert page.count(html.escape(_LONG)) >= 8


def _browser() -> str:
    if _WANTED:
        return _WANTED
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


# Each text of a plot must lie in its card, the page must not be wider than the window.
_LOOK = """
<script>
addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth > innerWidth ? ["page"] : [];
  for (const text of document.querySelectorAll("svg text")) {
    const card = text.closest(".card").getBoundingClientRect();
    const box = text.getBoundingClientRect();
    if (box.left < card.left || box.right > card.right) wide.push(text.textContent);
  }
  const colors = getComputedStyle(document.body);
  document.title = JSON.stringify({
    width: innerWidth, wide, plots: document.querySelectorAll("svg").length,
    bars: getComputedStyle(document.querySelector("rect.turbostar")).fill,
    ink: colors.color, paper: colors.backgroundColor,
  });
});
</script>
"""


def _seen(page: str, folder: pathlib.Path, width: int, *, dark: bool) -> dict[str, Any]:
    """What a browser makes of a page in a window of that width."""
    file = folder / "report.html"
    file.write_text(page + _LOOK, encoding="utf-8")
    # A window has a least width, an element in it has not.
    frame = folder / "frame.html"
    frame.write_text(
        f'<iframe src="report.html" width="{width}" height="900" style="border: 0"></iframe>'
        '<script>addEventListener("load", () => '
        "document.title = frames[0].document.title)</script>"
    )
    done = subprocess.run(
        [
            _browser(),
            "--headless",
            "--no-sandbox",  # CI's containers have none
            "--disable-gpu",
            "--allow-file-access-from-files",
            f"--user-data-dir={folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--window-size=1400,1000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None, done.stdout[:2000]
    found: dict[str, Any] = msgspec.json.decode(html.unescape(title[1]))
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(page: str, tmp_path: pathlib.Path, width: int, dark: bool) -> None:
    """Nothing is wider than the window or its card, and colours follow light and dark."""
    found = _seen(page, tmp_path, width, dark=dark)
    assert found["width"] == width
    assert found["wide"] == []
    assert found["plots"] == 7
    ink, paper = (sum(map(int, re.findall(r"\d+", found[name])[:3])) for name in ("ink", "paper"))
    assert (ink > paper) is dark
    assert found["bars"] == ("rgb(86, 168, 255)" if dark else "rgb(10, 102, 194)")
