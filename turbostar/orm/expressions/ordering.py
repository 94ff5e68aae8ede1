"""Directions, for `order`."""

from __future__ import annotations

from typing import Any

import msgspec

from turbostar.orm.expressions.nodes import Node, make

__all__ = ["Ordering"]


class Ordering(msgspec.Struct, eq=False, frozen=True):
    """An expression and a direction, for `order`."""

    node: Node
    values: tuple[Any, ...] = ()

    def nulls_first(self) -> Ordering:
        """NULL before all values."""
        return Ordering(make("order", *self.node.args[:2], "first"), self.values)

    def nulls_last(self) -> Ordering:
        """NULL after all values."""
        return Ordering(make("order", *self.node.args[:2], "last"), self.values)

    def reversed(self) -> Ordering:
        """The other direction."""
        inner, way, nulls = self.node.args
        other = {"first": "last", "last": "first", "": ""}[nulls]
        return Ordering(
            make("order", inner, "asc" if way == "desc" else "desc", other), self.values
        )

    def __repr__(self) -> str:
        from turbostar.orm.expressions.shown import shown

        return shown(self.node, self.values)
