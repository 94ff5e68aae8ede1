"""Mounts within mounts: entered together, where nothing can match a path before they do.

A mount matches every path that begins with its own. Where no route that stands before it can match
such a path, and so on inwards, the whole way is known from the first segments of a path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from turbostar._routing.entries import Entry
from turbostar._routing.index import Prefixes, Shape, beginnings

__all__ = ["Chain", "chains_of"]

TableOf = Callable[[Any], Any]


class Chain:
    """Mounts at literal paths, each of them in the router of the one before.

    Attributes:
        path: their paths put together.
        mounts: their entries, from the outermost to the innermost.
        router: the router of the innermost.
    """

    __slots__ = ("mounts", "path", "router")

    def __init__(self, mounts: tuple[Entry, ...]) -> None:
        self.mounts = mounts
        self.path = "".join(mount.prefix[:-1] for mount in mounts)
        self.router = _router_below(mounts[-1])


def chains_of(table: Any, table_of: TableOf) -> Prefixes[Chain]:
    """Return the chains that begin in a table, by their paths.

    Args:
        table: of the outermost router.
        table_of: returns the table of a router, compiled if need be; None if it has none.
    """
    chains = [Chain(mounts) for mounts in _ways(table, table, table_of, ())]
    return Prefixes({chain.path: chain for chain in chains})


def _ways(
    outermost: Any, table: Any, table_of: TableOf, above: tuple[Entry, ...]
) -> Iterator[tuple[Entry, ...]]:
    """The mounts of each chain that begins with those above and goes on in the table."""
    earlier = _Earlier()
    for mount in table.entries:
        shape = mount.shape
        router = _router_below(mount)
        if (
            router is not None
            and not earlier.may_match_below(mount.prefix[:-1])
            and not any(router is _router_below(one) for one in above)
        ):
            below = table_of(router)
            if below is not None and not below.is_fragile:
                outermost.depend_on_same(below)
                below.is_used = True  # by way of the chain
                yield (*above, mount)
                yield from _ways(outermost, below, table_of, (*above, mount))
        # The literal paths of the outermost table are looked up before any chain.
        if above or shape is None or shape.literal is None:
            earlier.add(shape)


class _Earlier:
    """What the entries that stand before a mount may match."""

    def __init__(self) -> None:
        self._anything = False
        self._paths: set[str] = set()  # that some of them begin with
        self._slashes: dict[str, float] = {}  # by what one begins with: as many as it can match

    def add(self, shape: Shape | None) -> None:
        if shape is None:
            self._anything = True
            return
        self._paths.update(beginnings(shape.prefix))
        if shape.literal is None:
            most = math.inf if shape.slashes is None else shape.slashes
            self._slashes[shape.prefix] = max(most, self._slashes.get(shape.prefix, 0))

    def may_match_below(self, path: str) -> bool:
        least = path.count("/") + 1
        return (
            self._anything
            or path in self._paths
            or any(self._slashes.get(begun, 0) >= least for begun in beginnings(path))
        )


def _router_below(entry: Entry) -> Any:
    """The router of a mount at a literal path, if it is chosen from there as well; else None."""
    if entry.child is None or entry.convertor is None or entry.prefix == "/":
        return None
    return entry.child.router
