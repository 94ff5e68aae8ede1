"""Keyset pagination: the rows after one that was seen, by an index instead of by counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, combined
from turbostar.orm.expressions.columns import column_of
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.lookups import ordering_of
from turbostar.orm.shapes import Shape

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["after"]


def after(query: Query[Any], last: tuple[Any, ...]) -> Query[Any]:
    """The rows that come after `last` in the query's order, to which the key is added.

    A column of the order must not be NULL, for NULL is neither before nor after a value.
    """
    shape: Shape = query.shape
    model = shape.model
    table = model.__turbostar_table__
    ordering = [node for node, _ in shape.ordering]
    if any(node.size for node in ordering):
        raise QueryError("after takes an order of columns, not of computed values")
    known = {node.args[0] for node in ordering}
    missing = [f for f in table.key if column_of(f).node not in known]
    ways = [(node.args[0], node.args[1]) for node in ordering]
    ways += [(column_of(field).node, ways[-1][1] if ways else "asc") for field in missing]
    if len(last) == 1 and isinstance(last[0], model):
        values = tuple(_value(last[0], node) for node, _ in ways)
    elif len(last) == len(ways):
        values = last
    else:
        names = ", ".join(str(node.args[0]) for node, _ in ways)
        raise QueryError(f"after takes an object or {len(ways)} values: {names}")
    items = [ordering_of(shape, Expression(node)) for node, _ in ways]
    query = query.order(
        *(i.reversed() if way == "desc" else i for i, (_, way) in zip(items, ways, strict=True))
    )
    return query.filter(_beyond(ways, values))


def _value(instance: Any, node: Node) -> Any:
    if node.kind != "column" or node.args[1]:
        raise QueryError("after takes an object only where the order is of its own columns")
    return getattr(instance, node.args[0].name)


def _beyond(ways: list[tuple[Node, str]], values: tuple[Any, ...]) -> Condition:
    """``a > x OR (a = x AND (b > y OR …))``, with ``a >= x`` outside, for the index."""
    parts: list[Condition] = []
    for end in range(len(ways)):
        equal = [
            Expression[Any](node) == v for (node, _), v in zip(ways[:end], values, strict=False)
        ]
        column: Expression[Any] = Expression(ways[end][0])
        beyond = column > values[end] if ways[end][1] == "asc" else column < values[end]
        parts.append(combined("and", [*equal, beyond]))
    first: Expression[Any] = Expression(ways[0][0])
    bound = first >= values[0] if ways[0][1] == "asc" else first <= values[0]
    if len(parts) == 1:
        return parts[0]
    return combined("and", [bound, combined("or", parts)])
