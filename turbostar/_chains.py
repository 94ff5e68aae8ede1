"""Mounts within mounts: entered together, where nothing can match a path before they do.

A mount matches every path that begins with its own. Where no route that stands before it can match
such a path, and so on inwards, the whole way is known from the first segments of a path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from turbostar._entry import Entry
from turbostar._matcher import Shape

__all__ = ["Chain", "Chains", "chains_of"]

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


class Chains:
    """The chains of one table, by their paths.

    Attributes:
        depths: the numbers of slashes in these, the highest first; as ranges, for they are counted
            out at each look-up.
        by_path: the chains.
    """

    __slots__ = ("by_path", "depths")

    def __init__(self, chains: list[Chain]) -> None:
        self.by_path = {chain.path: chain for chain in chains}
        depths = sorted({path.count("/") for path in self.by_path}, reverse=True)
        self.depths = tuple(map(range, depths))

    def find(self, path: str) -> Chain | None:
        """Return the longest chain that a path, which begins with a slash, leads through."""
        for depth in self.depths:
            end = 0
            for _ in depth:
                end = path.find("/", end + 1)
                if end < 0:
                    break
            else:
                chain = self.by_path.get(path[:end])
                if chain is not None:
                    return chain
        return None


def chains_of(table: Any, table_of: TableOf) -> Chains:
    """Return the chains that begin in a table.

    Args:
        table: of the outermost router.
        table_of: returns the table of a router, compiled if need be; None if it has none.
    """
    return Chains([Chain(mounts) for mounts in _ways(table, table_of, ())])


def _ways(table: Any, table_of: TableOf, above: tuple[Entry, ...]) -> Iterator[tuple[Entry, ...]]:
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
            if below is not None and not below.fragile:
                below.reused = True  # by way of the chain
                yield (*above, mount)
                yield from _ways(below, table_of, (*above, mount))
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
        self._paths.update(_beginnings(shape.prefix))
        if shape.literal is None:
            most = math.inf if shape.slashes is None else shape.slashes
            self._slashes[shape.prefix] = max(most, self._slashes.get(shape.prefix, 0))

    def may_match_below(self, path: str) -> bool:
        least = path.count("/") + 1
        return (
            self._anything
            or path in self._paths
            or any(self._slashes.get(begun, 0) >= least for begun in ("", *_beginnings(path)))
        )


def _beginnings(path: str) -> list[str]:
    """The path, and those that are left when segments are taken off its end."""
    if not path:
        return []
    return [path[:at] for at in range(1, len(path)) if path[at] == "/"] + [path]


def _router_below(entry: Entry) -> Any:
    """The router of a mount at a literal path, if it is chosen from there as well; else None."""
    if entry.child is None or entry.convertor is None or entry.prefix == "/":
        return None
    return entry.child.router
