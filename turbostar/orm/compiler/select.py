"""SELECT, from the shape of a query."""

from __future__ import annotations

from typing import Any

from turbostar.orm.compiler.expressions import ExpressionCompiler
from turbostar.orm.compiler.groups import require_grouped, require_selected
from turbostar.orm.compiler.scopes import Scope
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.shapes import Part, Shape
from turbostar.orm.types import INT

__all__ = ["SelectCompiler"]


class SelectCompiler(ExpressionCompiler):
    """Writes a whole SELECT and those within it."""

    def select(self, shape: Shape, base: int = 0, parent: Scope | None = None, *,
               what: str = "rows") -> str:  # fmt: skip
        """The text of a query.

        Args:
            shape: the query's.
            base: the number of its first value.
            parent: the scope around it.
            what: ``rows``; ``key`` for the primary key alone; ``existence`` for no column at all;
                ``count``.
        """
        head = self.tables(shape, base, parent)
        if what == "count" and not _counts_plainly(shape):
            inner = self.select(_without_tables(shape), base, parent)
            return f"{head}select count(*) from ({inner}) as counted"
        if shape.compound:
            return head + self.compound(shape, base, parent)
        scope = Scope(self.dialect, self.names, shape.model.__turbostar_table__, parent)
        columns = self.columns(shape, base, scope, what)
        conditions = self.conditions(shape.conditions, base, scope)
        having = self.conditions(shape.having, base, scope)
        order = "" if what in ("count", "existence") else self.order(shape, base, scope)
        self.join_tables(shape, base, scope)
        words = [f"{head}select {self.distinct(shape, base, scope)}{columns} from {scope.text}"]
        if conditions:
            words.append(f"where {conditions}")
        if shape.groups:
            words.append("group by " + ", ".join(str(n + 1) for n in range(shape.groups)))
        if having:
            words.append(f"having {having}")
        words.append(order)
        words.append(self.limits(shape, base))
        if shape.lock and self.dialect.has_locks and what in ("rows", "key"):
            strength, _, patience = shape.lock.partition("|")
            words.append(f"for {strength} of {self.dialect.quote(scope.name)} {patience}".rstrip())
        return " ".join(word for word in words if word)

    def subquery(self, shape: Shape, base: int, scope: Scope, *, existence: bool = False) -> str:
        if existence:
            return self.select(shape, base, scope, what="existence")
        return self.select(shape, base, scope, what="rows" if shape.columns else "key")

    def columns(self, shape: Shape, base: int, scope: Scope, what: str) -> str:
        """What is selected."""
        if what == "count":
            return "count(*)"
        if what == "existence" and not shape.groups:
            return "1"
        if what == "key":
            key = scope.table.key
            if len(key) > 1:
                raise QueryError(
                    f"a subquery selects one column: say .values_list(...) in that of "
                    f"{scope.table.model.__name__}, whose key has {len(key)}"
                )
            return scope.column(key[0], ())
        if shape.columns is None:
            texts = [scope.column(field, ()) for field in row_fields(shape)]
            for path in shape.joined:
                texts += [scope.column_at(field, path) for field in path[-1].table.fields.values()]
            return ", ".join(texts)
        require_grouped(shape)
        written = []
        for (node, place), name in zip(shape.columns, shape.names, strict=True):
            text = self.selected(node, base + place, scope)
            written.append(f"{text} as {self.dialect.quote(name)}")
        return ", ".join(written)

    def selected(self, node: Node, base: int, scope: Scope) -> str:
        """An expression among the columns; a condition is one of the row itself."""
        truth = node.kind not in ("column", "aggregate", "filtered", "window", "table_column")
        if truth and node.type is not None and node.type.kind == "bool":
            return self.condition(node, base, scope)
        return self.write(node, base, scope)

    def conditions(self, parts: tuple[Part, ...], base: int, scope: Scope) -> str:
        """Conditions that all hold."""
        texts = []
        for node, place in parts:
            text = self.condition(node, base + place, scope)
            texts.append(f"({text})" if node.kind == "or" and len(parts) > 1 else text)
        return " and ".join(texts)

    def distinct(self, shape: Shape, base: int, scope: Scope) -> str:
        """DISTINCT, if it is wanted."""
        if shape.distinct_on:
            if not self.dialect.has_distinct_on:
                raise QueryError("distinct() with columns needs PostgreSQL")
            texts = [self.write(node, base + place, scope) for node, place in shape.distinct_on]
            return f"distinct on ({', '.join(texts)}) "
        return "distinct " if shape.distinct else ""

    def order(self, shape: Shape, base: int, scope: Scope) -> str:
        """ORDER BY."""
        if not shape.ordering:
            return ""
        if shape.distinct and not shape.distinct_on:
            require_selected(shape)
        texts = [self.write(node, base + place, scope) for node, place in shape.ordering]
        return "order by " + ", ".join(texts)

    def limits(self, shape: Shape, base: int) -> str:
        """LIMIT and OFFSET."""
        words = []
        if shape.limit is not None:
            words.append("limit " + self.place(base + shape.limit, INT, "limit"))
        elif shape.offset is not None and not self.dialect.numbered:
            words.append("limit -1")
        if shape.offset is not None:
            words.append("offset " + self.place(base + shape.offset, INT, "offset"))
        return " ".join(words)

    def compound(self, shape: Shape, base: int, parent: Scope | None) -> str:
        """UNION and its like."""
        words = []
        for word, each, place in shape.compound:
            inner = self.select(each, base + place, parent)
            plain = not (each.compound or each.ordering or each.tables or each.lock)
            if not plain or each.limit is not None or each.offset is not None:
                inner = f"select * from ({inner}) as {self.dialect.quote(self.names.take('part'))}"
            words.append(f"{word} {inner}" if word else inner)
        scope = Scope(self.dialect, self.names, shape.model.__turbostar_table__, parent)
        scope.bare = True
        words.append(self.order(shape, base, scope))
        words.append(self.limits(shape, base))
        return " ".join(word for word in words if word)

    def tables(self, shape: Shape, base: int, parent: Scope | None) -> str:
        """WITH: the common table expressions."""
        if not shape.tables:
            return ""
        texts, recursive = [], False
        for table in shape.tables:
            inner = self.select(table.shape, base + table.place, parent)
            if table.again is not None:
                recursive = True
                again = self.select(table.again, base + table.again_place, parent)
                inner = f"{inner} union all {again}"
            names = ", ".join(self.dialect.quote(name) for name in table.names)
            texts.append(f"{self.dialect.quote(table.name)} ({names}) as ({inner})")
        return f"with {'recursive ' if recursive else ''}{', '.join(texts)} "

    def join_tables(self, shape: Shape, base: int, scope: Scope) -> None:
        """JOIN of common table expressions."""
        for word, name, node, place in shape.table_joins:
            condition = self.write(node, base + place, scope)
            scope.extra.append(f"{word} {self.dialect.quote(name)} on {condition}")


def row_fields(shape: Shape) -> list[Any]:
    """The fields of the model that are read for each row."""
    if shape.only is not None:
        return list(shape.only)
    return list(shape.model.__turbostar_table__.fields.values())


def _counts_plainly(shape: Shape) -> bool:
    return not (
        shape.limit is not None
        or shape.offset is not None
        or shape.distinct
        or shape.distinct_on
        or shape.groups
        or shape.compound
        or shape.having
    )


def _without_tables(shape: Shape) -> Shape:
    return shape.changed(tables=()) if shape.tables else shape
