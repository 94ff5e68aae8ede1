"""Rewrites a test file so that it imports turbostar where it imported Starlette.

Two things are rewritten and everything else is kept byte for byte:

* import statements;
* the string that is the first argument of a call of ``setattr``, ``patch`` or ``import_module``,
  by whatever object the function is reached (``monkeypatch.setattr``, ``mock.patch``, …).

Other strings are data of the test (messages, module names in warning filters, log output).
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["rewrite_file", "rewrite_source"]

OLD = "starlette"
NEW = "turbostar"
CALLS = frozenset({"setattr", "patch", "import_module"})

# Lines as the parser counts them: str.splitlines() would also split at form feeds and others.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_FROM = re.compile(rb"from(?:\s|\\\r?\n)+(?=starlette\b)")
_STRING = re.compile(rb"""[a-zA-Z]*("{3}|'{3}|"|')(?=starlette(?:\.|\1))""")


class _Edit(NamedTuple):
    """Replace the bytes from *start* to *end* by *text*."""

    start: int
    end: int
    text: bytes


def rewrite_source(source: str) -> str:
    """Return *source* with turbostar in the place of Starlette.

    Raises SyntaxError if *source* is not Python.
    """
    data = source.encode("utf-8", "surrogatepass")
    edits = sorted(_edits(ast.parse(source), data))
    for edit in reversed(edits):
        data = data[: edit.start] + edit.text + data[edit.end :]
    return data.decode("utf-8", "surrogatepass")


def rewrite_file(path: Path) -> bool:
    """Rewrite the file *path* in place, keeping its encoding; return whether it changed."""
    raw = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    rewritten = rewrite_source(raw.decode(encoding)).encode(encoding)
    if rewritten == raw:
        return False
    path.write_bytes(rewritten)
    return True


def _edits(tree: ast.Module, data: bytes) -> Iterator[_Edit]:
    starts = [0, *(match.end() for match in _LINE_END.finditer(data))]

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_starlette(alias.name):
                    end = offset(alias.end_lineno or 0, alias.end_col_offset or 0)
                    yield from _import_edits(alias, offset(alias.lineno, alias.col_offset), end)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and _is_starlette(node.module or ""):
                match = _FROM.match(data, offset(node.lineno, node.col_offset))
                if match:
                    yield _Edit(match.end(), match.end() + len(OLD), NEW.encode())
        elif isinstance(node, ast.Call) and node.args and _called_name(node.func) in CALLS:
            first = node.args[0]
            # An f-string counts too: its literal part may begin with the module's name.
            if isinstance(first, ast.Constant | ast.JoinedStr):
                match = _STRING.match(data, offset(first.lineno, first.col_offset))
                if match:
                    yield _Edit(match.end(), match.end() + len(OLD), NEW.encode())


def _import_edits(alias: ast.alias, start: int, end: int) -> Iterator[_Edit]:
    yield _Edit(start, start + len(OLD), NEW.encode())
    if alias.asname is None:
        # `import starlette.x` binds the name `starlette`, which the rest of the file uses.
        suffix = f" as {OLD}" if alias.name == OLD else f", {NEW} as {OLD}"
        yield _Edit(end, end, suffix.encode())


def _is_starlette(module: str) -> bool:
    return module == OLD or module.startswith(f"{OLD}.")


def _called_name(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None
