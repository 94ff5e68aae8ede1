"""Mounts within mounts: entered together, where nothing can match a path before they do.

A mount matches every path that begins with its own. Where its router stands next to no earlier
route for such a path, and so on inwards, the whole way is known from the first segments of a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from turbostar._entry import Entry

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
    for number, mount in enumerate(table.entries):
        router = _router_below(mount)
        if router is None or any(router is _router_below(one) for one in above):
            continue
        # The literal paths of the outermost table are looked up before any chain.
        if any(
            _may_come_first(entry, mount)
            for entry in table.entries[:number]
            if above or entry.shape is None or entry.shape.literal is None
        ):
            continue
        below = table_of(router)
        if below is None or below.fragile:
            continue
        below.reused = True  # by way of the chain
        yield (*above, mount)
        yield from _ways(below, table_of, (*above, mount))


def _router_below(entry: Entry) -> Any:
    """The router of a mount at a literal path, if it is chosen from there as well; else None."""
    if entry.child is None or entry.convertor is None or entry.prefix == "/":
        return None
    return entry.child.router


def _may_come_first(entry: Entry, mount: Entry) -> bool:
    """Whether an earlier entry may match a path below the mount."""
    shape = entry.shape
    if shape is None:
        return True
    if shape.literal is not None:
        return shape.literal.startswith(mount.prefix)
    if shape.slashes is not None and shape.slashes < mount.prefix.count("/"):
        return False
    begins = shape.prefix + "/"
    return begins.startswith(mount.prefix) or mount.prefix.startswith(begins)
