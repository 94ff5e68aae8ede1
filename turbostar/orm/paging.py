"""Keyset pagination: the rows after one that was seen, by an index instead of by counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, combined
from turbostar.orm.expressions.columns import column_of
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.shapes import Shape

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["after"]


class _Way(NamedTuple):
    """One column of an order: which way, and where NULL is."""

    column: Node
    down: bool
    nulls_first: bool
    nullable: bool


def after(query: Query[Any], last: tuple[Any, ...]) -> Query[Any]:
    """The rows that come after `last` in the query's order, which no two rows may share."""
    shape: Shape = query.shape
    model = shape.model
    if shape.limit is not None or shape.offset is not None:
        raise QueryError("after comes before limit, as in query.after(last).limit(20)")
    if any(node.size for node, _ in shape.ordering):
        raise QueryError("after takes an order of columns, not of computed values")
    ways = [_way(node) for node, _ in shape.ordering]
    key = model.__turbostar_table__.key
    known = {way.column for way in ways}
    if not all(column_of(field).node in known for field in key) and not any(map(_tells, ways)):
        # Rows that are equal in the order would come in any order, and be missed or seen twice.
        names = ", ".join(map(str, key))
        raise QueryError(f"after needs an order that no two rows share: add the key, {names}")
    if len(last) == 1 and isinstance(last[0], model):
        values = tuple(_value(last[0], way.column) for way in ways)
    elif len(last) == len(ways):
        values = last
    else:
        names = ", ".join(str(way.column.args[0]) for way in ways)
        raise QueryError(f"after takes an object or {len(ways)} values: {names}")
    for way, value in zip(ways, values, strict=True):
        if value is None and not way.nullable:  # as of a first page that has no last one
            raise QueryError(
                f"{way.column.args[0]} is never NULL, and so no row is after None: leave out after"
                " for the first page"
            )
    return query.filter(_beyond(ways, values))


def _tells(way: _Way) -> bool:
    """No two rows have the same value there."""
    column = way.column
    return bool(column.kind == "column" and not way.nullable and column.args[0].spec.unique)


def _way(node: Node) -> _Way:
    column, way, nulls = node.args
    nullable = column.kind != "column" or bool(column.args[1]) or column.args[0].nullable
    # Where nothing is said, NULL comes before all values, and so at the end of the way down.
    return _Way(column, way == "desc", (nulls or ("first" if way == "asc" else "last")) == "first",
                nullable)  # fmt: skip


def _value(instance: Any, node: Node) -> Any:
    if node.kind != "column" or node.args[1]:
        raise QueryError("after takes an object only where the order is of its own columns")
    return getattr(instance, node.args[0].name)


def _beyond(ways: list[_Way], values: tuple[Any, ...]) -> Condition:
    """``a > x OR (a = x AND (b > y OR …))``, with ``a >= x`` outside, for the index."""
    parts: list[Condition] = []
    for end, way in enumerate(ways):
        later = _later(way, values[end], same=False)
        if later is not None:
            pairs = zip(ways[:end], values, strict=False)
            equal = [Expression[Any](each.column) == value for each, value in pairs]
            parts.append(combined("and", [*equal, later]))
    if len(ways) == 1:
        return parts[0]
    found = combined("or", parts)
    bound = _later(ways[0], values[0], same=True)
    return found if bound is None else combined("and", [bound, found])


def _later(way: _Way, value: Any, *, same: bool) -> Condition | None:
    """Further on in the way than `value`, or there with `same`; None for no such row, or all."""
    column: Expression[Any] = Expression(way.column)
    if value is None:
        if same:
            return None if way.nulls_first else column.is_null()
        return column.is_not_null() if way.nulls_first else None
    if same:
        found: Condition = column <= value if way.down else column >= value
    else:
        found = column < value if way.down else column > value
    return found | column.is_null() if way.nullable and not way.nulls_first else found
