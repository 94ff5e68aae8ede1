"""Put what was measured into the documentation: ``python -m benchmarks.tables``.

A row is a case's if its first cell is the case's name; which figures it gets, the heads of the
columns tell. Rows keep their place, and other rows their figures; how many were written is told,
and which cases have no row. The plot is drawn from the tables, so that it cannot differ from them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.plot import draw

ROOT = Path(__file__).resolve().parents[1]
PERFORMANCE = ROOT / "docs/performance.md"
DOCUMENTS = (PERFORMANCE, ROOT / "README.md")
PLOT = ROOT / "docs/performance.svg"

# The heads of the tables that are written.
RATIOS = "| stock, µs | turbostar, µs | stock / turbostar | lowest..highest |"
COSTS = "| stock | turbostar | difference |"
OLDEST = "| 3.11 | 3.13 |"
SERVER = "| raw ASGI, µs | stock, µs | turbostar, µs | turbostar / raw | turbostar / stock |"
OURS = "| on uvicorn's class, µs | on turbostar's, µs | turbostar's / uvicorn's |"
WHOLE = "| turbostar on turbostar's class, µs | / raw ASGI on uvicorn's | / stock on uvicorn's |"

_SHAPES = {  # rows of the server's table
    "JSON": "json",
    "/items/{id:int}": "item",
    "last of 120 routes": "last-of-120",
    "POST JSON echo": "echo",
    "JSON, 1 BaseHTTPMiddleware": "middleware",
}
_ON_OURS = {  # rows of the table of one application on both protocol classes
    "raw ASGI, JSON": ("json", "raw"),
    "raw ASGI, last of 120 routes": ("last-of-120", "raw"),
    "raw ASGI, POST JSON echo": ("echo", "raw"),
    "turbostar, JSON": ("json", "turbostar"),
    "turbostar, POST JSON echo": ("echo", "turbostar"),
    "FastAPI, JSON": ("fastapi", "fastapi"),
    "raw ASGI, 1 MiB up": ("upload", "raw"),
    "raw ASGI, 1 MiB down in 64 KiB": ("download", "raw"),
}

Cells = Callable[[str], list[str] | None]


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument(
        "ratios",
        nargs="?",
        type=Path,
        default=ROOT / "benchmarks/ratios.json",
        help="of make bench, on Python 3.13",
    )
    parser.add_argument("--oldest", type=Path, help="the same of Python 3.11")
    parser.add_argument("--server", type=Path, help="of python -m benchmarks.server --json")
    options = parser.parse_args(arguments)
    try:
        ratios = _read(options.ratios)
        oldest = _read(options.oldest)["cases"] if options.oldest else {}
        shapes = _read(options.server)["shapes"] if options.server else {}
        cases = ratios["cases"]
    except (OSError, msgspec.DecodeError, KeyError) as error:
        sys.stderr.write(f"error: {error!r}; run `make figures` first\n")
        return 2
    found: set[str] = set()
    for document in DOCUMENTS:
        text = with_figures(document.read_text("utf-8"), cases, found, oldest, shapes)
        document.write_text(with_environment(text, ratios["environment"]), "utf-8")
    draw(PERFORMANCE.read_text("utf-8"), PLOT)
    sys.stdout.write(f"{len(found)} cases written, and {PLOT.relative_to(ROOT)}\n")
    for name in sorted(cases.keys() - found):
        sys.stdout.write(f"no row: {name}\n")
    return 0


def with_figures(
    text: str,
    cases: dict[str, Any],
    found: set[str],
    oldest: dict[str, Any] | None = None,
    shapes: dict[str, Any] | None = None,
) -> str:
    """Return a Markdown text with the figures of these cases in its tables.

    Args:
        found: is added the names of the cases that have a row.
        oldest: the cases on Python 3.11.
        shapes: what `benchmarks.server` measured.
    """

    def on_oldest(name: str) -> list[str] | None:
        if name not in cases or name not in (oldest or {}):
            return None
        return [f"{each[name]['ratio']['median']:.2f}" for each in (oldest or {}, cases)]

    def ratio(name: str) -> list[str] | None:
        cells = _ratio(cases.get(name))
        if cells is not None:
            found.add(name)
        return cells

    def cost(name: str) -> list[str] | None:
        cells = _cost(cases.get(name))
        if cells is not None:
            found.add(name)
        return cells

    def server(name: str) -> list[str] | None:
        return _server((shapes or {}).get(_SHAPES.get(name, "")))

    def on_ours(name: str) -> list[str] | None:
        shape, side = _ON_OURS.get(name, ("", ""))
        return _on_both((shapes or {}).get(shape), side)

    def whole(name: str) -> list[str] | None:
        return _whole((shapes or {}).get(_SHAPES.get(name, "")))

    tables: dict[str, Cells] = {
        RATIOS: ratio,
        COSTS: cost,
        OLDEST: on_oldest,
        SERVER: server,
        OURS: on_ours,
        WHOLE: whole,
    }
    lines = text.split("\n")
    making: Cells | None = None
    for number, line in enumerate(lines):
        if not line.startswith("|"):
            making = None
            continue
        heads = [head for head in tables if line.endswith(head)]
        if heads:
            making = tables[heads[0]]
        elif making is not None:
            name = line.strip("|").split("|")[0].strip()
            cells = making(name.replace("`", ""))
            if cells is not None:
                lines[number] = f"| {' | '.join([name, *cells])} |"
    return "\n".join(lines)


def with_environment(text: str, environment: dict[str, str]) -> str:
    """Return a text whose line "Measured on DATE with ..." tells of this run."""
    told = (
        f"Measured on {environment['date']} with Python {environment['python']}, Starlette "
        f"{environment['starlette']}, msgspec {environment['msgspec']}."
    )
    return re.sub(r"^Measured on \d.*$", lambda _: told, text, flags=re.MULTILINE)


def _read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


def _ratio(case: dict[str, Any] | None) -> list[str] | None:
    if case is None or case["relation"] != "stock / turbostar":
        return None
    ratio = case["ratio"]
    return [
        _shown(case["stock"]["median"]),
        _shown(case["turbostar"]["median"]),
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}..{ratio['high']:.2f}",
    ]


def _cost(case: dict[str, Any] | None) -> list[str] | None:
    if case is None or case["relation"] == "stock / turbostar":
        return None
    unit, figure = case["unit"], case["ratio"]["median"]
    both = [f"{_shown(case[side]['median'])} {unit}" for side in ("stock", "turbostar")]
    if case["relation"] == "turbostar / stock":
        return [*both, f"{figure:.2f} times"]
    return [*both, f"{figure:+.1f} {unit}"]


def _server(shape: dict[str, Any] | None) -> list[str] | None:
    if shape is None:
        return None
    sides = ("raw", "stock", "turbostar")
    quotients = [shape["ratios"][f"turbostar / {side}"] for side in ("raw", "stock")]
    return [
        *(f"{shape['cpu_us'][side]['median']:.1f}" for side in sides),
        *map(_spread, quotients),
    ]


def _on_both(shape: dict[str, Any] | None, side: str) -> list[str] | None:
    if shape is None:
        return None
    costs = [shape["cpu_us"][each]["median"] for each in (side, f"{side}, ours")]
    return [*map(_shown, costs), _spread(shape["ratios"][f"{side}, ours / {side}"])]


def _whole(shape: dict[str, Any] | None) -> list[str] | None:
    if shape is None or "turbostar, ours" not in shape["cpu_us"]:
        return None
    quotients = [shape["ratios"][f"turbostar, ours / {side}"] for side in ("raw", "stock")]
    return [_shown(shape["cpu_us"]["turbostar, ours"]["median"]), *map(_spread, quotients)]


def _spread(quotient: dict[str, float]) -> str:
    return f"{quotient['median']:.2f} ({quotient['low']:.2f}..{quotient['high']:.2f})"


def _shown(figure: float) -> str:
    if figure >= 1000:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 100 else f"{figure:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
