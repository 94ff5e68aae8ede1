"""Generated functions: the only module of the ORM that executes source made at run time."""

from __future__ import annotations

import builtins
import linecache
import zlib
from collections.abc import Mapping
from typing import Any

__all__ = ["evaluated", "execute"]


def execute(source: str, name: str, label: str, namespace: dict[str, Any]) -> Any:
    """The function `name` that a source defines, with `namespace` as its globals.

    The source is kept on the function, as ``__turbostar_source__``, and where tracebacks and
    debuggers look for lines. Values are in the namespace, never in the source.

    Args:
        source: the text.
        name: what it defines.
        label: what tracebacks call it.
        namespace: what it sees.
    """
    filename = f"<turbostar.orm {label} {zlib.crc32(source.encode()):08x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    made: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace, made)
    function = made[name]
    function.__turbostar_source__ = source
    function.__module__ = __name__
    return function


def evaluated(text: str, names: Mapping[str, Any]) -> Any:
    """The value of an annotation that is kept as text, in a class body's names."""
    return eval(text, {"__builtins__": builtins}, names)
