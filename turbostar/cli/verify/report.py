"""Showing what verifying has found: on the terminal and as JSON."""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from turbostar.cli.verify import Check, Difference, VerifyResult
from turbostar.cli.verify.verdict import refused

__all__ = ["as_json", "show"]

_SHOWN_DIFFERENCES = 20
_SHOWN_LINES = 40
_SHOWN_VOLATILE = 5
_BYTES_PER_ROW = 16
_HEX_ROWS = 4


def show(console: Console, result: VerifyResult) -> None:
    """Print the differences, then the summary."""
    for check in result.different[:_SHOWN_DIFFERENCES]:
        console.print(_of_check(check))
    hidden = len(result.different) - _SHOWN_DIFFERENCES
    if hidden > 0:
        console.print(f"… and {hidden} more requests with differences; --json FILE has them all")
    if result.lifespan is not None:
        console.print(Text("different: the lifespan", style="bold red"))
        console.print(Padding(Group(*_lines_of(result.lifespan)), (0, 0, 1, 2)))
    console.print(_summary(result))
    for line in _remarks(result):
        console.print(Text(line, style="dim"))
    if result.same and result.proves_nothing is None:
        counts = f"{len(result.identical)} compared in full, {len(result.volatile)} by shape"
        text = f"no answer differs from stock Starlette's: {counts}"
        console.print(Text(text, style="green"))


def _of_check(check: Check) -> Group:
    lines: list[Text] = []
    for difference in check.differences:
        lines += _lines_of(difference)
    lines += [Text(f"note: {note}", style="dim") for note in check.notes]
    title = Text(f"different: {check.request.name}", style="bold red")
    if not check.request.name.endswith(check.request.path):
        title.append(f"  ({check.request.method} {check.request.path})", style="not bold")
    return Group(title, Padding(Group(*lines), (0, 0, 1, 2)))


def _lines_of(difference: Difference) -> list[Text]:
    legend = f"{difference.part}  (- stock, + accelerated)"
    return [Text(legend, style="bold"), *_diff(difference)]


def _diff(difference: Difference) -> Iterator[Text]:
    stock, accelerated = difference.stock, difference.accelerated
    if isinstance(stock, bytes) and isinstance(accelerated, bytes):
        rows = _body_rows(stock, accelerated)
    else:
        rows = _rows(difference.part, stock), _rows(difference.part, accelerated)
    diff = list(difflib.unified_diff(*rows, n=2, lineterm=""))[2:]
    for line in diff[:_SHOWN_LINES]:
        style = {"-": "red", "+": "green", "@": "cyan"}.get(line[:1], "")
        yield Text(line, style=style)
    if len(diff) > _SHOWN_LINES:
        yield Text(f"… {len(diff) - _SHOWN_LINES} more lines", style="dim")


def _rows(part: str, value: Any) -> list[str]:
    if part == "headers":
        return [f"{name.decode('latin-1')}: {text.decode('latin-1')}" for name, text in value]
    if part == "websocket":
        return [_message(message) for message in value]
    if part == "completion":
        return ["complete" if value else "broken off"]
    if part == "timeout":
        return ["no end within the timeout" if value else "ended"]
    return str(value).splitlines() or [""]


def _message(message: dict[str, Any]) -> str:
    others = {key: value for key, value in message.items() if key != "type"}
    return f"{message['type']} {others or ''}".rstrip()


def _body_rows(stock: bytes, accelerated: bytes) -> tuple[list[str], list[str]]:
    """Two bodies as lines to compare: indented JSON, text, or hex around the first difference."""
    try:
        texts = stock.decode(), accelerated.decode()
    except UnicodeDecodeError:
        return _hex_rows(stock, accelerated)
    if "\0" in texts[0] + texts[1]:
        return _hex_rows(stock, accelerated)
    try:
        first, second = (json.dumps(json.loads(text), indent=2).splitlines() for text in texts)
    except (ValueError, RecursionError):
        first, second = (text.splitlines() for text in texts)
    if first == second:  # what differs is white space, number format or line ends
        return [repr(texts[0])], [repr(texts[1])]
    return first, second


def _hex_rows(stock: bytes, accelerated: bytes) -> tuple[list[str], list[str]]:
    shorter = min(len(stock), len(accelerated))
    first = next((n for n in range(shorter) if stock[n] != accelerated[n]), shorter)
    start = max(first - first % _BYTES_PER_ROW - _BYTES_PER_ROW, 0)
    sides = []
    for body in (stock, accelerated):
        rows = [f"{len(body)} bytes, the first difference at byte {first}"]
        for offset in range(start, start + _HEX_ROWS * _BYTES_PER_ROW, _BYTES_PER_ROW):
            row = body[offset : offset + _BYTES_PER_ROW]
            if row:
                text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
                rows.append(f"{offset:08x}  {row.hex(' '):<{_BYTES_PER_ROW * 3}} {text}")
        sides.append(rows)
    return sides[0], sides[1]


def _summary(result: VerifyResult) -> Table:
    table = Table(title=result.target, title_justify="left")
    table.add_column("requests", justify="right")
    table.add_column("identical", justify="right", style="green")
    table.add_column("vary on stock", justify="right", style="yellow")
    different = len(result.different)
    table.add_column("different", justify="right", style="bold red" if different else "")
    counts = (len(result.checks), len(result.identical), len(result.volatile), different)
    table.add_row(*map(str, counts))
    return table


def _remarks(result: VerifyResult) -> Iterator[str]:
    yield from _on_volatile(result)
    hanging = sum(check.stock.timed_out and check.accelerated.timed_out for check in result.checks)
    if hanging:
        yield f"{hanging} requests did not end within the timeout, stock and accelerated alike"
    failed = sum((check.stock.status or 0) >= 500 for check in result.checks)
    if failed:
        yield (
            f"{failed} answer{'s have' if failed > 1 else ' has'} a status of 500 or above on "
            "stock: if that is not meant, the application lacks something (settings, data)"
        )
    if turned_away := sum(refused(check.stock) for check in result.checks):
        were = "requests were" if turned_away > 1 else "request was"
        yield (
            f"{turned_away} {were} refused (401, 403), and what is behind was not compared: if "
            "that is not meant, record requests with a login"
        )
    if result.shutdown is not None:
        yield f"the lifespan failed at the end, on stock as well: {result.shutdown}"
    split = sum(bool(check.notes) for check in result.checks)
    if split:
        yield f"{split} bodies came in another number of messages; their bytes were compared"
    yield from result.notes


def _on_volatile(result: VerifyResult) -> Iterator[str]:
    if not result.volatile:
        return
    count = len(result.volatile)
    yield (
        f"{count} answer{'s vary' if count > 1 else ' varies'} on stock itself: "
        "of what varies, only the shape was compared"
    )
    for check in result.volatile[:_SHOWN_VOLATILE]:
        yield f"  {check.request.name}: {', '.join(check.volatile)}"
    if len(result.volatile) > _SHOWN_VOLATILE:
        yield f"  … and {len(result.volatile) - _SHOWN_VOLATILE} more"
    if any("status" in check.volatile for check in result.volatile):
        yield (
            "  where a status varies, a run may have met what the run before it left behind: "
            "begin each run with fresh data"
        )
    elif not result.frozen:
        yield "  --freeze-clock makes times alike, if it is these that vary"


def as_json(result: VerifyResult) -> str:
    """The result as a JSON document: the counts and, for each request, what was found."""
    document = {
        "target": result.target,
        "same": result.same,
        "proves_nothing": result.proves_nothing,
        "requests": len(result.checks),
        "identical": len(result.identical),
        "volatile": len(result.volatile),
        "different": len(result.different),
        "failed": len(result.failed),
        "runs": result.runs,
        "lifespan": None if result.lifespan is None else _plain(result.lifespan),
        "shutdown": result.shutdown,
        "notes": result.notes,
        "checks": [
            {
                "name": check.request.name,
                "method": check.request.method,
                "path": check.request.path,
                "status": check.stock.status,
                "volatile": check.volatile,
                "notes": check.notes,
                "differences": [_plain(difference) for difference in check.differences],
            }
            for check in result.checks
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(difference: Difference) -> dict[str, Any]:
    return {
        "part": difference.part,
        "stock": _jsonable(difference.stock),
        "accelerated": _jsonable(difference.accelerated),
    }


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    return value
