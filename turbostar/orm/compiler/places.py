"""The places of values in a statement, and what stands at the leaves of an expression."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from turbostar.orm.compiler.scopes import Names, Scope
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType

if TYPE_CHECKING:
    from turbostar.orm.compiler.dialect import Dialect

__all__ = ["PlaceCompiler", "spread"]

_PLACE = re.compile("\0(\\d+)\0")


class PlaceCompiler:
    """Writes the expressions of one statement.

    A value's place is first written as its number between two NULs, which no other text can have;
    `finish` puts placeholders there, in the order of the text.
    """

    def __init__(self, dialect: Dialect, names: Names | None = None) -> None:
        self.dialect: Any = dialect
        self.names = names or Names()
        #: By number of a value: how it is encoded.
        self.places: dict[int, tuple[ColumnType | None, str]] = {}

    def finish(self, text: str) -> tuple[str, list[int]]:
        """The statement, and for each of its parameters the number of its value."""
        order: list[int] = []

        def placed(match: re.Match[str]) -> str:
            number = int(match.group(1))
            if self.dialect.numbered and number in order:
                return str(self.dialect.placeholder(order.index(number) + 1))
            order.append(number)
            return str(self.dialect.placeholder(len(order)))

        return _PLACE.sub(placed, text), order

    def place(self, number: int, type: ColumnType | None, label: str, cast: bool = False) -> str:
        """The place of a value."""
        self.places[number] = (type, label)
        return str(self.dialect.slot(f"\0{number}\0", type, cast))

    def write(self, node: Node, base: int, scope: Scope) -> str:
        """An expression whose first value has the number `base`."""
        method = getattr(self, f"_{node.kind}", None)
        if method is None:
            raise QueryError(f"{node.kind} cannot stand here")
        return str(method(node, base, scope))

    def write_all(self, nodes: tuple[Node, ...], base: int, scope: Scope) -> list[str]:
        """Several expressions whose values follow each other."""
        texts = []
        for node in nodes:
            texts.append(self.write(node, base, scope))
            base += node.size
        return texts

    def _operand(self, node: Node, base: int, scope: Scope) -> str:
        text = self.write(node, base, scope)
        return f"({text})" if node.kind in _LOOSE else text

    # Leaves

    def _slot(self, node: Node, base: int, scope: Scope) -> str:
        label, cast = node.args
        return self.place(base, node.type, label, cast)

    def _column(self, node: Node, base: int, scope: Scope) -> str:
        field, path = node.args
        owner = scope.owner_of(path[0].model if path else field.model, path)
        if owner is None:
            root = scope.table.model.__name__
            raise QueryError(
                f"{field} is not in a query of {root}: go to it by a relation, as in "
                f"{root}.relation.{field.name}"
            )
        return owner.column(field, path)

    def _outer(self, node: Node, base: int, scope: Scope) -> str:
        outside = scope.outside()
        if outside is None:
            raise QueryError("outer() stands in a query that is not inside of another one")
        return self.write(node.args[0], base, outside)

    def _output(self, node: Node, base: int, scope: Scope) -> str:
        return str(self.dialect.quote(node.args[0]))

    def _table_column(self, node: Node, base: int, scope: Scope) -> str:
        table, column = node.args
        return f"{self.dialect.quote(table)}.{self.dialect.quote(column)}"

    def _number(self, node: Node, base: int, scope: Scope) -> str:
        return str(int(node.args[0]))

    def _excluded(self, node: Node, base: int, scope: Scope) -> str:
        return f"excluded.{self.dialect.quote(node.args[0].column)}"


_LOOSE = frozenset(
    ["and", "or", "not", "compare", "compute", "between", "like", "ilike", "is_null", "in_values",
     "in_list", "in_query", "not_true", "case", "raw"]
)  # fmt: skip


def spread(nodes: tuple[Any, ...], base: int) -> list[tuple[Node, int]]:
    """Each node with the number of its first value."""
    found = []
    for node in nodes:
        found.append((node, base))
        base += node.size
    return found
