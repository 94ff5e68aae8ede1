"""Plants a defect: imports turbostar with one snippet of its source replaced by another.

The snippet is looked for in all modules, so that a defect follows code that moves. Where it is no
longer found, or found twice, that is an error: the defect must be told what became of it.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Defect", "plant", "sources"]

PACKAGE = Path(__file__).parents[2] / "turbostar"


class Defect(NamedTuple):
    """A small change for the worse.

    Attributes:
        name: what it does.
        snippet: of turbostar's source; it is there once.
        instead: what stands in its place.
        within: the end of the module's path, where the snippet alone would not do.
    """

    name: str
    snippet: str
    instead: str
    within: str = ""


def sources() -> dict[Path, str]:
    """The source of each module that serves requests."""
    paths = PACKAGE.rglob("*.py")
    return {path: path.read_text() for path in paths if "cli" not in path.parts}


def _rewritten(defect: Defect) -> tuple[Path, str]:
    """The module that has the snippet, and its source with the defect.

    Raises:
        LookupError: the snippet is not there, or not once.
    """
    found = [
        (path, source.count(defect.snippet), source)
        for path, source in sources().items()
        if defect.snippet in source and str(path).endswith(defect.within)
    ]
    if [count for _, count, _ in found] != [1]:
        places = [f"{path.relative_to(PACKAGE)} ({count})" for path, count, _ in found]
        raise LookupError(
            f"the snippet of the defect {defect.name!r} is in {places or 'no module'}, not in one, "
            "once: point it at the code that does that now"
        )
    ((path, _, source),) = found
    return path, source.replace(defect.snippet, defect.instead)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: Path, source: str) -> None:
        super().__init__(name, str(path))
        self._source = source

    def get_data(self, path: str) -> bytes:
        return self._source.encode()

    def path_stats(self, path: Any) -> Any:
        raise OSError("never taken from the cache, nor kept there")


class _Finder:
    def __init__(self, path: Path, source: str) -> None:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        self.name = ".".join(part for part in parts if part != "__init__")
        self._path = path
        self._source = source

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> Any:
        if name != self.name:
            return None
        loader = _Loader(name, self._path, self._source)
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


def plant(defect: Defect) -> None:
    """Let this process import turbostar with the defect.

    Raises:
        LookupError: its snippet is not in the source, or not once.
        RuntimeError: turbostar was imported already.
    """
    finder = _Finder(*_rewritten(defect))
    if "turbostar" in sys.modules:
        raise RuntimeError("turbostar was imported already: plant the defect before")
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
