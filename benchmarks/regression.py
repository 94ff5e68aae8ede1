"""Compare two files of ratios, case by case, and fail where one has got worse.

``python -m benchmarks.regression BASE.json NEW.json``, both written by ``--ratios`` on the same
machine. A case has regressed if both hold:

1. its median is worse by more than 5 % (for a ratio ``stock / turbostar``: the new median is below
   0.95 of the base's; for ``turbostar / stock``: above 1.05 of it; for a difference: higher by more
   than 5 % of the case's target);
2. the spreads do not overlap: the best round of the new file is worse than the worst of the base.

A case that only one file has is listed and never fails: a change may add, rename or remove cases.
The exit status is 0 without a regression, 1 with one, 2 if a file is not one of ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.paired import Ratio
from benchmarks.summary import AT_LEAST, DIFFERENCE
from turbostar.cli.errors import UserError

__all__ = ["TOLERANCE", "Figure", "main", "regressed"]

TOLERANCE = 0.05


class Figure(msgspec.Struct, frozen=True):
    """One case of a file; what else the file says of it does not matter here."""

    target: float
    ratio: Ratio
    relation: str = AT_LEAST


class _File(msgspec.Struct, frozen=True):
    cases: dict[str, Figure]


def regressed(base: Figure, new: Figure) -> bool:
    """Whether the case has got worse, by the rule above."""
    before, now = base.ratio, new.ratio
    if base.relation == AT_LEAST:
        return now.median < before.median * (1 - TOLERANCE) and now.high < before.low
    allowed = base.target if base.relation == DIFFERENCE else before.median
    return now.median > before.median + abs(allowed) * TOLERANCE and now.low > before.high


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.regression",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("base", type=Path, metavar="BASE.json")
    parser.add_argument("new", type=Path, metavar="NEW.json")
    options = parser.parse_args(arguments)
    try:
        base, new = _read(options.base), _read(options.new)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    worse = [name for name in base if name in new and regressed(base[name], new[name])]
    for line in _table(base, new, worse):
        sys.stdout.write(f"{line}\n")
    return 1 if worse else 0


def _read(file: Path) -> dict[str, Figure]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_File).cases
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}; give a file of --ratios") from error
    except msgspec.DecodeError as error:
        raise UserError(f"{file}: {error}; write it with pytest benchmarks --ratios") from error


def _table(base: Mapping[str, Figure], new: Mapping[str, Figure], worse: list[str]) -> list[str]:
    rows = [("case", "base", "new", "change", "")]
    for name in [*base, *(name for name in new if name not in base)]:
        before, now = base.get(name), new.get(name)
        if before is None or now is None:
            mark = "only in new" if before is None else "only in base"
            rows.append((name, _shown(before), _shown(now), "", mark))
            continue
        mark = "REGRESSED" if name in worse else ""
        rows.append((name, _shown(before), _shown(now), _change(before, now), mark))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    both = sum(name in new for name in base)
    return [*table, "", f"{len(worse)} of {both} cases regressed by more than {TOLERANCE:.0%}"]


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    ratio = figure.ratio
    return f"{ratio.median:.2f} ({ratio.low:.2f}..{ratio.high:.2f})"


def _change(before: Figure, now: Figure) -> str:
    """The change in per cent; of a difference, in its unit."""
    if before.relation == DIFFERENCE or not before.ratio.median:
        return f"{now.ratio.median - before.ratio.median:+.2f}"
    return f"{now.ratio.median / before.ratio.median - 1:+.1%}"


if __name__ == "__main__":
    sys.exit(main())
