"""The form of an expression, apart from its values.

An expression is a `Node` and a tuple of values. Nodes are made once for each form and compared by
identity, so that a query is found in the cache of plans without hashing it part by part. Where a
value goes stands a node of kind ``slot``; values are counted from left to right.
"""

from __future__ import annotations

from typing import Any

from turbostar.orm.types import ColumnType

__all__ = ["Node", "make", "slot"]

#: So many forms are kept. A form that was forgotten is made anew; nothing else changes.
KEPT = 20_000


class Node:
    """One form: what it does (`kind`), to what (`args`), how many values it takes (`size`).

    `many` says that it leads over a relation to many, so that a row may meet it several times.

    Args:
        kind: the word under which the compiler knows it.
        args: nodes, and what is fixed: operators, names, fields.
        type: the type of its result; None if that is not known.
    """

    __slots__ = ("__weakref__", "args", "kind", "many", "size", "type")

    def __init__(self, kind: str, args: tuple[Any, ...], type: ColumnType | None) -> None:
        self.kind = kind
        self.args = args
        self.type = type
        self.size = 1 if kind == "slot" else sum(_size(arg) for arg in args)
        self.many = any(_many(arg) for arg in args)

    def __repr__(self) -> str:
        return f"<{self.kind} {' '.join(str(arg) for arg in self.args)}>"


def _size(arg: Any) -> int:
    if type(arg) is tuple:
        return sum(_size(each) for each in arg)
    return int(getattr(arg, "size", 0))


def _many(arg: Any) -> bool:
    if type(arg) is tuple:
        return any(_many(each) for each in arg)
    if type(arg) is Node:
        return arg.many and arg.kind not in ("exists", "scalar_query", "in_query", "outer")
    return bool(getattr(arg, "to_many", False))


_made: dict[tuple[Any, ...], Node] = {}


def make(kind: str, *args: Any, type: ColumnType | None = None) -> Node:
    """The one node of this form."""
    key = (kind, args, type)
    found = _made.get(key)
    if found is None:
        if len(_made) >= KEPT:
            _made.clear()
        found = _made[key] = Node(kind, args, type)
    return found


def slot(type: ColumnType | None, label: str = "", *, cast: bool = False) -> Node:
    """The place of one value, which is encoded as `type`; `label` names it in messages.

    With `cast`, the database is told the type, as where nothing else in the statement does.
    """
    return make("slot", label, cast, type=type)
