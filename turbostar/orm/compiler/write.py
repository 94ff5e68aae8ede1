"""INSERT, UPDATE and DELETE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from turbostar.orm.compiler.json_columns import goes_as_json
from turbostar.orm.compiler.scopes import Scope
from turbostar.orm.compiler.select import SelectCompiler
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.fields import Field
from turbostar.orm.shapes import Shape
from turbostar.orm.table import Table
from turbostar.orm.types import STR, array_of

__all__ = ["WriteCompiler"]


class WriteCompiler(SelectCompiler):
    """Writes the statements that change rows."""

    def insert(
        self,
        table: Table,
        fields: Sequence[Field],
        returning: Sequence[Field],
        *,
        rows: int = 1,
        conflict: Conflict | None = None,
    ) -> str:
        """INSERT of some rows; their values follow each other, row by row."""
        quote = self.dialect.quote
        target = self.dialect.table(table.name, table.schema)
        if fields:
            columns = ", ".join(quote(field.column) for field in fields)
            places = []
            for row in range(rows):
                start = row * len(fields)
                texts = (
                    self.place(start + index, field.type, str(field))
                    for index, field in enumerate(fields)
                )
                places.append(f"({', '.join(texts)})")
            text = f"insert into {target} ({columns}) values {', '.join(places)}"
        else:
            text = f"insert into {target} default values"
        if conflict is not None:
            text += self.on_conflict(table, conflict, len(fields) * rows)
        return text + self.returning(returning)

    def insert_columns(
        self,
        table: Table,
        fields: Sequence[Field],
        returning: Sequence[Field],
        conflict: Conflict | None = None,
    ) -> str:
        """INSERT of any number of rows; each column is one parameter (PostgreSQL)."""
        quote, type_name = self.dialect.quote, self.dialect.type_name
        columns = ", ".join(quote(field.column) for field in fields)
        sources, values = [], []
        for number, field in enumerate(fields):
            if goes_as_json(field.type, field.spec.type):
                place = self.place(number, STR, str(field))
                sources.append(f"json_array_elements_text(cast({place} as json))")
                values.append(f"cast(c{number} as {type_name(field.type)})")
            else:
                place = self.place(number, array_of(field.type), str(field))
                sources.append(f"unnest(cast({place} as {field.spec.type}[]))")
                values.append(f"c{number}")
        names = ", ".join(f"c{number}" for number in range(len(fields)))
        text = (
            f"insert into {self.dialect.table(table.name, table.schema)} ({columns}) "
            f"select {', '.join(values)} from rows from ({', '.join(sources)}) "
            f"with ordinality as given({names}, n) order by n"
        )
        if conflict is not None:
            text += self.on_conflict(table, conflict, len(fields))
        return text + self.returning(returning)

    def on_conflict(self, table: Table, conflict: Conflict, base: int) -> str:
        """ON CONFLICT: what happens if the row is there already."""
        quote = self.dialect.quote
        target = ", ".join(quote(field.column) for field in conflict.target)
        head = f" on conflict ({target})" if target else " on conflict"
        if not conflict.update and not conflict.assigned:
            return f"{head} do nothing"
        texts = [
            f"{quote(field.column)} = excluded.{quote(field.column)}" for field in conflict.update
        ]
        scope = Scope(self.dialect, self.names, table)
        for field, node in conflict.assigned:
            texts.append(self.assignment(field, node, base, scope))
            base += node.size
        return f"{head} do update set {', '.join(texts)}"

    def assignment(self, field: Field, node: Node, base: int, scope: Scope) -> str:
        """What a column is set to by UPDATE."""
        text = self.dialect.assigned(self.write(node, base, scope), field.type, node)
        return f"{self.dialect.quote(field.column)} = {text}"

    def returning(self, fields: Sequence[Field]) -> str:
        """RETURNING, if something is wanted."""
        if not fields:
            return ""
        return " returning " + ", ".join(self.dialect.quote(field.column) for field in fields)

    def update(self, shape: Shape) -> str:
        """UPDATE of all rows of a query."""
        scope, where = self._touched(shape, "update")
        texts = []
        for field, node, place in shape.assigned:
            texts.append(self.assignment(field, node, place, scope))
        if scope.joins:
            raise QueryError("update sets columns from this row's own, or from a subquery")
        return f"update {scope.text} set {', '.join(texts)}{where}"

    def delete(self, shape: Shape) -> str:
        """DELETE of all rows of a query."""
        scope, where = self._touched(shape, "delete")
        return f"delete from {scope.text}{where}"

    def _touched(self, shape: Shape, word: str) -> tuple[Scope, str]:
        """The table and WHERE; by the key, where the rows are not told by conditions alone."""
        if shape.compound or shape.groups or shape.columns or shape.distinct:
            raise QueryError(f"{word} takes rows of one table, not groups, unions or columns")
        scope = Scope(self.dialect, self.names, shape.model.__turbostar_table__)
        if shape.limit is None and shape.offset is None and not shape.tables:
            where = self.conditions(shape.conditions, 0, scope)
            if not scope.joins:
                return scope, f" where {where}" if where else ""
            scope.joins.clear()
            scope._paths.clear()
        key = scope.table.key
        quote = self.dialect.quote
        mine = ", ".join(f"{quote(scope.name)}.{quote(field.column)}" for field in key)
        inner = self.select(_keyed(shape), 0, None)
        return scope, f" where ({mine}) in ({inner})"

    def update_row(self, table: Table, fields: Sequence[Field], returning: Sequence[Field]) -> str:
        """UPDATE of one row by its key; the key's values come last."""
        quote = self.dialect.quote
        texts = [
            f"{quote(field.column)} = {self.place(index, field.type, str(field))}"
            for index, field in enumerate(fields)
        ]
        target = self.dialect.table(table.name, table.schema)
        where = self.by_key(table, len(fields))
        return f"update {target} set {', '.join(texts)} where {where}{self.returning(returning)}"

    def delete_row(self, table: Table) -> str:
        """DELETE of one row by its key."""
        target = self.dialect.table(table.name, table.schema)
        return f"delete from {target} where {self.by_key(table, 0)}"

    def select_row(self, table: Table, fields: Sequence[Field]) -> str:
        """SELECT of one row by its key."""
        columns = ", ".join(self.dialect.quote(field.column) for field in fields)
        target = self.dialect.table(table.name, table.schema)
        return f"select {columns} from {target} where {self.by_key(table, 0)}"

    def by_key(self, table: Table, base: int) -> str:
        """The condition on the key, whose values begin at `base`."""
        return " and ".join(
            f"{self.dialect.quote(field.column)} = "
            f"{self.place(base + index, field.type, str(field))}"
            for index, field in enumerate(table.key)
        )


class Conflict:
    """What an insert does where a row has the same key.

    Args:
        target: the columns of the key; none for any.
        update: columns that take the new row's values.
        assigned: columns and forms of what they become instead.
    """

    def __init__(
        self,
        target: Sequence[Field],
        update: Sequence[Field],
        assigned: Sequence[tuple[Field, Any]] = (),
    ) -> None:
        self.target = target
        self.update = update
        self.assigned = assigned


def _keyed(shape: Shape) -> Shape:
    from turbostar.orm.expressions.columns import column_of

    key = shape.model.__turbostar_table__.key
    parts = tuple((column_of(field).node, 0) for field in key)
    return shape.changed(
        columns=parts, names=tuple(field.name for field in key), joined=(), lock="", assigned=()
    )
