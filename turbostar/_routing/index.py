"""Route tables: from a path to the few patterns that can match it. Knows no ASGI.

Starlette asks each route's regular expression in turn. Here patterns are sorted when the table is
built, by the literal segments they begin with and by the number of their slashes, so that a path is
led to a handful of *candidates* by one or two dictionary look-ups. The index is a superset: it may
name a pattern that does not match, and never leaves out one that does. So whoever asks the
candidates in their order gets the answer that asking all of them would give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Index", "Prefixes", "Shape", "beginnings", "shape_of"]

E = TypeVar("E")
V = TypeVar("V")

# Parameter patterns that cannot match a slash: those of the convertors str, int, float and uuid.
_WITHOUT_SLASH = frozenset(
    {
        "[^/]+",
        "[0-9]+",
        r"[0-9]+(\.[0-9]+)?",
        "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
    }
)
_SPECIAL = re.compile("[^a-zA-Z0-9_/]")
_PARAMETER = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)(?::[a-zA-Z_][a-zA-Z0-9_]*)?}")


class Shape(NamedTuple):
    """What is known of a path pattern without matching it.

    Attributes:
        literal: the path itself, where the pattern has no parameter; else None.
        prefix: the whole segments it begins with, as ``/a/b``; empty if it begins with a parameter.
        slashes: how many slashes a matching path has; None if a parameter can match one.
    """

    literal: str | None
    prefix: str
    slashes: int | None


def shape_of(path: str, regex: re.Pattern[str], parameters: Mapping[str, str]) -> Shape | None:
    """Return the shape of a pattern, or None if nothing is known of it.

    Args:
        path: as the user wrote it, such as ``/items/{id:int}``.
        regex: what is matched against a request's path.
        parameters: of each parameter's name, its regular expression.
    """
    if "\n" in path:
        return None
    literals = []
    expected = "^"
    without_slash = True
    end = 0
    for found in _PARAMETER.finditer(path):
        pattern = parameters.get(found[1])
        if pattern is None:
            return None
        literals.append(path[end : found.start()])
        expected += f"{_escaped(literals[-1])}(?P<{found[1]}>{pattern})"
        without_slash = without_slash and pattern in _WITHOUT_SLASH
        end = found.end()
    literals.append(path[end:])
    expected += _escaped(literals[-1]) + "$"
    # Somebody may have put another regular expression in place of the one made from the path.
    if regex.pattern != expected or regex.flags != re.UNICODE:
        return None
    if len(literals) == 1:
        return Shape(path, path.rpartition("/")[0], path.count("/"))
    slashes = sum(literal.count("/") for literal in literals) if without_slash else None
    return Shape(None, literals[0].rpartition("/")[0], slashes)


def _escaped(literal: str) -> str:
    # Most need no escaping, which takes longer than looking.
    return re.escape(literal) if _SPECIAL.search(literal) else literal


class Prefixes(Generic[V]):
    """Values by what paths begin with: whole segments, as ``/a/b``."""

    __slots__ = ("_depths", "by_prefix")

    def __init__(self, by_prefix: dict[str, V]) -> None:
        self.by_prefix = by_prefix
        # The numbers of their slashes, the highest first; as ranges, for they are counted out.
        depths = sorted({prefix.count("/") for prefix in by_prefix}, reverse=True)
        self._depths = tuple(map(range, depths))

    def find(self, path: str) -> V | None:
        """Return the value of the longest prefix of a path that begins with a slash, if any."""
        for depth in self._depths:
            end = 0
            for _ in depth:
                end = path.find("/", end + 1)
                if end < 0:
                    break
            else:
                found = self.by_prefix.get(path[:end])
                if found is not None:
                    return found
        return None


def beginnings(path: str) -> list[str]:
    """What a path begins with, in whole segments: from nothing to all of it."""
    return [path[:at] for at, character in enumerate(path) if character == "/"] + [path]


class _Bucket(Generic[E]):
    """The candidates of all paths with one number of slashes.

    Attributes:
        prefixes: the candidates of the paths that begin so, those of shorter prefixes included.
        rest: the candidates of all other paths.
    """

    __slots__ = ("prefixes", "rest")

    def __init__(self, prefixes: Prefixes[tuple[E, ...]], rest: tuple[E, ...]) -> None:
        self.prefixes = prefixes
        self.rest = rest


class Index(Generic[E]):
    """From a path to the entries whose patterns can match it, in their order.

    Attributes:
        static: the candidates of each literal path.
        parents: those of the other paths, by all but the last segment; where there are none but
            those of a shorter prefix, a path's parent is not in it.
    """

    __slots__ = ("_any", "_by_slashes", "parents", "static")

    def __init__(self, entries: Sequence[tuple[Shape | None, E]]) -> None:
        """Build the index of entries with their shapes; None is a candidate for every path."""
        numbered = [(number, shape, entry) for number, (shape, entry) in enumerate(entries)]
        dynamic = [item for item in numbered if item[1] is None or item[1].literal is None]
        counts = {shape.slashes for _, shape, _ in dynamic if shape is not None}
        self._by_slashes = {
            count: _bucket([item for item in dynamic if _can_have(item[1], count)])
            for count in counts
            if count is not None
        }
        self._any = _bucket([item for item in dynamic if _can_have(item[1], None)])
        self.parents: dict[str, tuple[E, ...]] = {"": self._by_slashes.get(1, self._any).rest}
        for bucket in (self._any, *self._by_slashes.values()):
            for prefix in bucket.prefixes.by_prefix:
                own = self._by_slashes.get(prefix.count("/") + 1, self._any).prefixes.by_prefix
                if prefix in own:
                    self.parents[prefix] = own[prefix]
        self.static: dict[str, tuple[E, ...]] = {}
        literals: dict[str, list[tuple[int, E]]] = {}
        for number, shape, entry in numbered:
            if shape is not None and shape.literal is not None:
                literals.setdefault(shape.literal, []).append((number, entry))
        numbers = {id(entry): number for number, _, entry in numbered}
        for literal, same in literals.items():
            others = [(numbers[id(entry)], entry) for entry in self.dynamic(literal)]
            merged = sorted(same + others, key=lambda item: item[0])
            self.static[literal] = tuple(entry for _, entry in merged)

    def candidates(self, path: str) -> tuple[E, ...]:
        """Return the entries that can match `path`, which holds no newline, in their order."""
        found = self.static.get(path)
        return self.dynamic(path) if found is None else found

    def dynamic(self, path: str) -> tuple[E, ...]:
        """Return the candidates of a path that is not in `static`."""
        # A pattern ends in `$`, which also matches before a newline at the end: not foreseen here.
        found = self.parents.get(path[: path.rfind("/")])
        if found is not None:
            return found
        bucket = self._by_slashes.get(path.count("/"), self._any)
        found = bucket.prefixes.find(path)
        return bucket.rest if found is None else found


def _can_have(shape: Shape | None, slashes: int | None) -> bool:
    return shape is None or shape.slashes is None or shape.slashes == slashes


def _bucket(items: list[tuple[int, Shape | None, E]]) -> _Bucket[E]:
    prefixes = {shape.prefix for _, shape, _ in items if shape is not None and shape.prefix}
    own: dict[str, list[tuple[int, E]]] = {"": [], **{prefix: [] for prefix in prefixes}}
    for number, shape, entry in items:
        own["" if shape is None else shape.prefix].append((number, entry))
    by_prefix = {}
    for prefix in prefixes:
        # A path with this prefix has all the shorter ones, too.
        found = [item for begun in beginnings(prefix) for item in own.get(begun, ())]
        by_prefix[prefix] = tuple(entry for _, entry in sorted(found, key=lambda item: item[0]))
    return _Bucket(Prefixes(by_prefix), tuple(entry for _, entry in own[""]))
