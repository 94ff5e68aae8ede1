"""What the SQL of one database looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turbostar.orm.compiler.encoding import Encode, checked
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType, type_of_value

__all__ = ["Dialect"]


class Dialect:
    """Text and values of one kind of database. It knows no driver."""

    name = ""
    max_parameters = 32_766
    has_arrays = False  # lists are parameters, and columns
    has_locks = False
    has_distinct_on = False
    numbered = False  # placeholders are numbered
    types: dict[str, str] = {}
    casts: dict[str, str] = {}
    functions: dict[str, str | Callable[..., str]] = {}
    aggregates: dict[str, str | Callable[..., str]] = {}
    nulls_first = False  # NULL sorts before all values
    stored: dict[str, Encode] = {}
    #: The type whose values a driver takes as they are, by kind.
    direct: dict[str, type] = {}

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        if "\0" in name:
            raise QueryError(f"{name!r} is no name: it has a NUL character")
        return '"' + name.replace('"', '""') + '"'

    def table(self, name: str, schema: str | None) -> str:
        """A table's name, with its schema."""
        return self.quote(name) if schema is None else f"{self.quote(schema)}.{self.quote(name)}"

    def placeholder(self, number: int) -> str:
        """The text for the parameter of this number, counted from 1."""
        raise NotImplementedError

    def cast(self, text: str, type: ColumnType) -> str:
        """An expression, given a type."""
        return f"cast({text} as {self.type_name(type)})"

    def type_name(self, type: ColumnType, length: int | None = None) -> str:
        """The type of a column, as CREATE TABLE has it."""
        raise NotImplementedError

    def computed(
        self,
        left: str,
        operator: str,
        right: str,
        left_type: ColumnType | None,
        right_type: ColumnType | None,
    ) -> str:
        """Arithmetic."""
        return f"{left} {operator} {right}"

    def json_number(self, text: str) -> str:
        """JSON that is compared with a number."""
        return text

    def assigned(self, text: str, type: ColumnType, node: Node) -> str:
        """What a column of a type becomes in UPDATE."""
        return text

    def encoder(self, type: ColumnType | None, label: str = "") -> Encode:
        """What turns a value into what the driver takes; it raises `WrongValue`."""
        if type is None:
            return self.encode
        return checked(type, label, self.stored)

    def decoder(self, type: ColumnType) -> Callable[[Any], Any] | None:
        """What turns a value of the driver's, not None, into the type; None for nothing to do."""
        raise NotImplementedError

    def encode(self, value: Any) -> Any:
        """A value without a column, by its own type."""
        if value is None:
            return None
        return self.encoder(type_of_value(value))(value)
