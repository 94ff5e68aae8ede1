"""The form of a query, apart from its values.

Forms are a tree: `Shape.filtered` and the like lead from one to the next and remember where they
led, so that building a query a second time is a look-up for each of its steps. Plans hang on their
shape. Values are kept apart, in the order in which the calls gave them; a shape knows at which
place each of its parts has its own.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType

__all__ = ["Part", "Shape"]

#: A part of a query: a form, and the place of its first value.
Part = tuple[Node, int]

#: So many shapes are kept in all; then the trees are cut at their roots. Queries in use go on.
KEPT = 5_000

_FIELDS = (
    "model", "size", "conditions", "ordering", "limit", "offset", "distinct", "distinct_on",
    "columns", "names", "flat", "groups", "having", "joined", "lock", "tables", "compound",
    "only", "into", "assigned", "table_joins",
)  # fmt: skip


class Shape:
    """What a query asks for.

    Args:
        model: the model whose rows it is about.
        conditions: what `filter` was given.
        ordering: what `order` was given.
        limit, offset: the places of their values.
        columns: the parts that are selected, if not the model's own; `names` calls them.
        only: the fields of the model that are read; None for all.
        groups: so many of the first columns are grouped by; `having` is what groups must meet.
        joined: the relations that come along in the same statement.
        lock: the words after FOR.
        tables: common table expressions; `table_joins` is how they are joined.
        compound: (word, shape, place) for UNION and the like.
        into: the Struct that rows become, if they do not become objects of the model.
        assigned: for UPDATE, (field, form, place) of each column that is set.
    """

    __slots__ = (*_FIELDS, "__weakref__", "filters", "limited", "ordered", "plans", "steps")

    model: Any
    size: int
    conditions: tuple[Part, ...]
    ordering: tuple[Part, ...]
    limit: int | None
    offset: int | None
    distinct: bool
    distinct_on: tuple[Part, ...]
    columns: tuple[Part, ...] | None
    names: tuple[str, ...]
    flat: Any
    groups: int
    having: tuple[Part, ...]
    joined: tuple[Any, ...]
    lock: str
    tables: tuple[Any, ...]
    compound: tuple[Any, ...]
    only: tuple[Any, ...] | None
    into: Any
    assigned: tuple[Any, ...]
    table_joins: tuple[Any, ...]

    def __init__(self, **parts: Any) -> None:
        for name in _FIELDS:
            setattr(self, name, parts.get(name, _EMPTY.get(name)))
        self._fresh()

    def _fresh(self) -> None:
        self.filters: dict[tuple[Node, ...], Shape] = {}
        self.ordered: dict[Node, Shape] = {}
        self.steps: dict[Any, Shape] = {}
        self.plans: dict[Any, Any] = {}
        self.limited: Shape | None = None

    def changed(self, taken: int = 0, **parts: Any) -> Shape:
        """A shape with other parts, which take `taken` more values; not remembered."""
        made = Shape.__new__(Shape)
        for name in _FIELDS:
            setattr(made, name, getattr(self, name))
        for name, value in parts.items():
            setattr(made, name, value)
        made.size = self.size + taken
        made._fresh()
        _counter.note(self)
        return made

    def step(self, key: Any, taken: int = 0, **parts: Any) -> Shape:
        """The shape that this one leads to by `key`; made from `parts` the first time."""
        found = self.steps.get(key)
        if found is None:
            found = self.steps[key] = self.changed(taken, **parts)
        return found

    def filtered(self, nodes: tuple[Node, ...]) -> Shape:
        """With more conditions, whose values come next."""
        found = self.filters.get(nodes)
        if found is None:
            parts = (*self.conditions, *self.parts_from(nodes))
            taken = sum(node.size for node in nodes)
            found = self.filters[nodes] = self.changed(taken, conditions=parts)
        return found

    def with_order(self, nodes: tuple[Node, ...]) -> Shape:
        """With ORDER BY, whose values come next."""
        found = self.steps.get(nodes)
        if found is None:
            taken = sum(node.size for node in nodes)
            found = self.step(nodes, taken, ordering=self.parts_from(nodes))
        return found

    def with_limit(self) -> Shape:
        """With LIMIT, whose value comes next."""
        if self.limited is None:
            self.limited = self.changed(1, limit=self.size)
        return self.limited

    def with_offset(self) -> Shape:
        """With OFFSET, whose value comes next."""
        return self.step("offset", 1, offset=self.size)

    def parts_from(self, nodes: tuple[Node, ...]) -> tuple[Part, ...]:
        """Parts for nodes whose values come next."""
        parts, place = [], self.size
        for node in nodes:
            parts.append((node, place))
            place += node.size
        return tuple(parts)

    @property
    def result_type(self) -> ColumnType | None:
        """The type of the one column that it selects, as a subquery."""
        if self.columns:
            node: Node = self.columns[0][0]
            return node.type
        key = self.model.__turbostar_table__.key
        return key[0].type if len(key) == 1 else None

    def __repr__(self) -> str:
        return f"<Shape of {self.model.__name__}, {self.size} values>"


_EMPTY: dict[str, Any] = {
    "size": 0, "conditions": (), "ordering": (), "distinct": False, "distinct_on": (),
    "names": (), "flat": False, "groups": 0, "having": (), "joined": (), "lock": "",
    "tables": (), "compound": (), "assigned": (), "table_joins": (),
}  # fmt: skip


class _Counter:
    """Counts the shapes that were made, and cuts the trees when there are too many."""

    def __init__(self) -> None:
        self.count = 0
        self._parents: weakref.WeakSet[Shape] = weakref.WeakSet()
        self._lock = threading.Lock()

    def note(self, parent: Shape) -> None:
        """One more shape was made from `parent`."""
        with self._lock:
            self._parents.add(parent)
            self.count += 1
            if self.count > KEPT:
                self.count = 0
                for shape in self._parents:
                    shape._fresh()


_counter = _Counter()


def compounded(word: str, first: Shape, *others: Shape) -> Shape:
    """The shape of ``first UNION other ...``."""
    key = (word, *others)
    found = first.steps.get(key)
    if found is None:
        parts: list[tuple[str, Shape, int]] = [("", first, 0)]
        place = first.size
        for other in others:
            parts.append((word, other, place))
            place += other.size
        found = first.changed(
            place - first.size, compound=tuple(parts), conditions=(), ordering=(), limit=None,
            offset=None, distinct=False, distinct_on=(), groups=0, having=(), tables=(), lock="",
        )  # fmt: skip
        first.steps[key] = found
    return found
