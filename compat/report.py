"""Shows what a comparison found, on the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compat.compare import Results
from compat.parity import Setting, Verdict
from compat.terminal import Terminal

__all__ = ["show_verdicts", "verdicts_as_json", "write_json"]

_COLUMNS = (
    *("suite", "mode", "stock p/f/s", "turbostar p/f/s"),
    *("both fail", "differ", "expected", "stale", "seconds"),
)
_SHOWN = 40


def show_verdicts(verdicts: Sequence[Verdict], setting: Setting, terminal: Terminal) -> None:
    """Write the table, then every difference and stale entry by name."""
    terminal.say("")
    terminal.table(_COLUMNS, [_row(verdict) for verdict in verdicts], left=2)
    terminal.say("p/f/s: passed, failed or error, skipped or xfailed; seconds: stock, turbostar")
    for suite in dict.fromkeys(verdict.suite.name for verdict in verdicts):
        starlette = next(v.suite.starlette for v in verdicts if v.suite.name == suite)
        terminal.say(f"{suite}: Starlette {starlette}, Python {setting.interpreter.version}")
    for verdict in verdicts:
        _show_details(verdict, terminal)


def _row(verdict: Verdict) -> list[str]:
    comparison = verdict.comparison
    return [
        f"{verdict.suite.name} {verdict.suite.version}",
        verdict.mode,
        _counts(verdict.stock),
        _counts(verdict.turbostar),
        str(len(comparison.stock_failures)),
        str(len(comparison.differences)),
        str(len(comparison.expected)),
        str(len(comparison.stale)),
        f"{verdict.stock.seconds:.0f}, {verdict.turbostar.seconds:.0f}",
    ]


def _counts(results: Results) -> str:
    counts = results.counts()
    groups = (("passed", "xpassed"), ("failed", "error"), ("skipped", "xfailed"))
    return "/".join(str(sum(counts.get(name, 0) for name in group)) for group in groups)


def _show_details(verdict: Verdict, terminal: Terminal) -> None:
    title = f"{verdict.suite.name} {verdict.mode}"
    # What says why comes first: a module that cannot be imported takes its tests with it.
    differences = sorted(verdict.comparison.differences, key=lambda item: not item.message)
    for item in differences[:_SHOWN]:
        terminal.say(
            f"{title}: {item.test}: {item.stock} on stock, {item.turbostar} on turbostar", "red"
        )
        if item.message:
            terminal.say(f"    {item.message}")
    if len(differences) > _SHOWN:
        terminal.say(f"{title}: {len(differences) - _SHOWN} more differences, all in the JSON file")
    for entry in verdict.comparison.stale:
        terminal.say(
            f"{title}: {entry.test}: listed in compat/expected.toml and does not differ; "
            "take it out",
            "red",
        )


def verdicts_as_json(
    verdicts: Sequence[Verdict], errors: Sequence[str], setting: Setting
) -> dict[str, Any]:
    """Return all that was found as plain data."""
    return {
        "parity": not errors and all(verdict.comparison.parity for verdict in verdicts),
        "python": setting.interpreter.version,
        "keyword": setting.keyword,
        "errors": list(errors),
        "runs": [_as_json(verdict) for verdict in verdicts],
    }


def _as_json(verdict: Verdict) -> dict[str, Any]:
    comparison = verdict.comparison
    return {
        "suite": verdict.suite.name,
        "version": verdict.suite.version,
        "starlette": verdict.suite.starlette,
        "mode": verdict.mode,
        "parity": comparison.parity,
        "stock": {"counts": verdict.stock.counts(), "seconds": verdict.stock.seconds},
        "turbostar": {"counts": verdict.turbostar.counts(), "seconds": verdict.turbostar.seconds},
        "differences": [asdict(item) for item in comparison.differences],
        "expected": [asdict(item) | {"reason": reason} for item, reason in comparison.expected],
        "stale": [asdict(item) for item in comparison.stale],
        "stock_failures": [
            {"test": test, "message": verdict.stock.messages.get(test, "")}
            for test in comparison.stock_failures
        ],
    }


def write_json(data: dict[str, Any], path: Path) -> None:
    """Write *data* to *path*."""
    path.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
