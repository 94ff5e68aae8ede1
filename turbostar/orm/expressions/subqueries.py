"""Queries within queries: existence, one value, the query around, tables made on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, as_condition, as_expression
from turbostar.orm.expressions.nodes import Node, make
from turbostar.orm.types import BOOL

__all__ = ["Cte", "cte", "excluded", "exists", "outer", "scalar"]


def exists(query: Any) -> Condition:
    """The query has a row: ``exists(Post.filter(Post.author_id == User.id))``."""
    form, values = query.__turbostar_subquery__()
    return Condition(make("exists", form, type=BOOL), values)


def scalar(query: Any) -> Expression[Any]:
    """The one value that the query of one column gives; NULL of no row."""
    return as_expression(query)


def outer(expression: Expression[Any]) -> Expression[Any]:
    """A column of the query around, where both are of the same model."""
    return Expression(make("outer", expression.node, type=expression.node.type), expression.values)


def excluded(column: Any) -> Expression[Any]:
    """The value that the row would have had, in ``update=`` of `insert_many`."""
    return Expression(make("excluded", column.field, type=column.node.type))


class CteTable(msgspec.Struct, frozen=True, eq=False):
    """A common table expression in a query's form; `again` is its recursive part."""

    name: str
    names: tuple[str, ...]
    shape: Any
    place: int
    again: Any = None
    again_place: int = 0


class Cte:
    """A query under a name, whose columns are attributes: made by `cte`."""

    def __init__(self, name: str, query: Any, again: Any = None) -> None:
        if not name.isidentifier():
            raise QueryError(f"{name!r} is no name of a table")
        shape = query.shape
        if shape.columns is None:
            query = query.values()
            shape = query.shape
        self._name = name
        self._query = query
        self._again = again

    def __getattr__(self, name: str) -> Expression[Any]:
        shape = self._query.shape
        if name not in shape.names:
            raise QueryError(f"{self._name} has no column {name!r}; it has {shape.names}")
        node = shape.columns[shape.names.index(name)][0]
        return Expression(make("table_column", self._name, name, type=node.type))

    def joined_to(self, query: Any, on: Any, word: str) -> Any:
        """The query, with this table joined by a condition."""
        condition = as_condition(on)
        again = self._again
        key = ("cte", self._name, self._query.shape, again and again.shape, condition.node, word)
        shape = query.shape
        known = any(table.name == self._name for table in shape.tables)
        found = shape.steps.get(key)
        mine = self._query.bound + (() if again is None else again.bound)
        values = () if known else mine
        if found is None:
            place = shape.size
            tables = shape.tables
            if not known:
                later = place + self._query.shape.size
                made = CteTable(
                    self._name, self._query.shape.names, self._query.shape, place,
                    None if again is None else again.shape, later,
                )  # fmt: skip
                tables = (*tables, made)
            joins = (*shape.table_joins, (word, self._name, condition.node, place + len(values)))
            taken = len(values) + condition.node.size
            found = shape.step(key, taken, tables=tables, table_joins=joins)
        bound = query.bound + values + condition.values
        return msgspec.structs.replace(query, shape=found, bound=bound)


def cte(name: str, query: Any, *, recursive: Callable[[Cte], Any] | None = None) -> Cte:
    """A common table expression, for `Query.join`.

    Args:
        name: what the statement calls it.
        query: its rows; say ``.values(...)`` for some columns.
        recursive: from the table itself to a query of the rows to add, of the same columns:
            ``lambda tree: Category.all().join(tree, Category.parent_id == tree.id)``.
    """
    first = Cte(name, query)
    if recursive is None:
        return first
    again = recursive(_Inner(first))
    if again.shape.columns is None:
        again = again.values()
    return Cte(name, first._query, again)


class _Inner(Cte):
    """A table within its own recursive part, where it is known already."""

    def __init__(self, table: Cte) -> None:
        self._name = table._name
        self._query = table._query
        self._again = None

    def joined_to(self, query: Any, on: Any, word: str) -> Any:
        condition: Node = as_condition(on).node
        shape = query.shape
        joins = (*shape.table_joins, (word, self._name, condition, shape.size))
        key = ("inner", self._name, condition, word)
        found = shape.step(key, condition.size, table_joins=joins)
        bound = query.bound + as_condition(on).values
        return msgspec.structs.replace(query, shape=found, bound=bound)
