"""Put measured ratios into the tables of the documentation: ``python -m benchmarks.tables``.

A row is a case's if its first cell is the case's name. Rows keep their place, and other rows their
figures; what is written is told, and which cases have no row.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / "docs/performance.md", ROOT / "README.md")
_COLUMNS = "| stock, µs | turbostar, µs | stock / turbostar | lowest..highest |"
_NUMBERS = 5  # cells of a row: its name, and these; some have a target as well


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument(
        "ratios",
        nargs="?",
        type=Path,
        default=ROOT / "benchmarks/ratios.json",
        help="of make bench",
    )
    options = parser.parse_args(arguments)
    try:
        cases = msgspec.json.decode(options.ratios.read_bytes())["cases"]
    except (OSError, msgspec.DecodeError, KeyError) as error:
        sys.stderr.write(f"error: {options.ratios}: {error!r}; run `make bench` first\n")
        return 2
    found: set[str] = set()
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        document.write_text(with_figures(text, cases, found), "utf-8")
    sys.stdout.write(f"{len(found)} cases written\n")
    for name in sorted(cases.keys() - found):
        sys.stdout.write(f"no row: {name}\n")
    return 0


def with_figures(text: str, cases: dict[str, Any], found: set[str]) -> str:
    """Return a Markdown text with the figures of these cases in its tables of ratios.

    Args:
        found: is added the names of the cases that have a row.
    """
    lines, ours = text.split("\n"), False
    for number, line in enumerate(lines):
        if not line.startswith("|"):
            ours = False
        elif _COLUMNS in line:
            ours = True
        elif ours:
            lines[number] = _row(line, cases, found)
    return "\n".join(lines)


def _row(line: str, cases: dict[str, Any], found: set[str]) -> str:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) < _NUMBERS:
        return line
    name = cells[0].replace("`", "")
    case = cases.get(name)
    if case is None or case["relation"] != "stock / turbostar":
        return line
    found.add(name)
    ratio = case["ratio"]
    made = [
        cells[0],
        _shown(case["stock"]["median"]),
        _shown(case["turbostar"]["median"]),
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}..{ratio['high']:.2f}",
    ]
    if len(cells) > _NUMBERS:
        missed = "" if ratio["median"] >= case["target"] else " (missed)"
        made.append(re.sub(r"^([\d.]+).*", rf"\1{missed}", cells[5]))
    return f"| {' | '.join(made)} |"


def _shown(microseconds: float) -> str:
    if microseconds >= 1000:
        return f"{microseconds:,.0f}"
    return f"{microseconds:.1f}" if microseconds >= 100 else f"{microseconds:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
