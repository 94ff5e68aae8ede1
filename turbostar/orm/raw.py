"""Statements that an application writes itself: their placeholders, and what their rows become."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Optional

import msgspec
from msgspec import UNSET

from turbostar.orm.engines.interface import Statement
from turbostar.orm.errors import QueryError, WrongValue

__all__ = [
    "Raw", "into_objects", "into_structs", "one_by_one", "several_refused", "statement_for",
    "takes_several", "to_dicts",
]  # fmt: skip

if TYPE_CHECKING:
    from turbostar.orm.fields import Field
    from turbostar.orm.table import Table

# What is not code: text and names in quotes, comments. And then a placeholder, also as SQLite has
# it.
_PIECES = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/
      | [$?](?P<number>\d+)""",
    re.VERBOSE | re.DOTALL,
)
_ARGUMENT = re.compile(r"query argument \$(\d+)")
_COMMENTS = re.compile(r"\s+|--[^\n]*|/\*.*?\*/|\(", re.DOTALL)
_READS = re.compile(r"(?:SELECT|VALUES|EXPLAIN|WITH|PRAGMA|SHOW|TABLE)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|INTO|ANALYZE|PRAGMA)\b", re.IGNORECASE
)
_CHANGES_SESSION = re.compile(
    r"""^(?:RESET|LISTEN|UNLISTEN|PREPARE|DEALLOCATE|DISCARD|DECLARE|LOAD|BEGIN|START)\b
      | (?:^|;\s*)SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)
      | \bset_config\b | \bpg_(?:try_)?advisory_lock | \bTEMP(?:ORARY)?\b | \bATTACH\b""",
    re.IGNORECASE | re.VERBOSE,
)


class Raw(NamedTuple):
    """A statement, and where its values go.

    Args:
        statement: with the placeholders of its engine.
        places: of SQLite's placeholders, which have no numbers, those that the text gave them;
            None where values go to the engine as they are.
    """

    statement: Statement
    places: tuple[int, ...] | None

    def placed(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The parameters of the statement.

        Raises:
            QueryError: there are more values than the text has placeholders, or fewer.
        """
        if self.places is None:
            return values
        fault = ""
        if 0 in self.places:
            fault = "placeholders are counted from $1, not from $0"
        elif max(self.places) != len(values):
            fault = f"the placeholders go up to ${max(self.places)}, and {len(values)} values came"
        if fault:
            sql = self.statement.sql
            raise QueryError(f"{fault}: {sql}", statement=sql)
        return tuple([values[number - 1] for number in self.places])


@lru_cache(maxsize=1024)
def statement_for(kind: Literal["sqlite", "postgresql"], text: str) -> Raw:
    """The statement of a text with ``$1`` placeholders.

    What is not sure to read only is taken to write, which costs time and is never wrong.
    """
    start = 0
    while found := _COMMENTS.match(text, start):
        start = found.end()
    writes = _READS.match(text, start) is None or _WRITES.search(text, start) is not None
    places: list[int] = []

    def mark(found: re.Match[str]) -> str:
        if found["number"] is None:
            return found[0]
        places.append(int(found["number"]))
        return "?"  # without a number, for Python 3.12.0 warns of ?1 that is given a sequence

    sql = text if kind == "postgresql" else _PIECES.sub(mark, text)
    changes = _CHANGES_SESSION.search(text[start:]) is not None
    statement = Statement(sql, writes or changes, True, session=changes)
    return Raw(statement, tuple(places) or None)


def takes_several(value: Any) -> bool:
    """Whether a value is a container, of which a statement's values are rather the items."""
    return isinstance(value, list | tuple | set | frozenset | dict)


def several_refused(error: WrongValue, values: tuple[Any, ...]) -> bool:
    """Whether PostgreSQL's driver has refused a container, and not what is in an array."""
    text = str(error)
    found = _ARGUMENT.search(text)
    return found is not None and takes_several(values[int(found[1]) - 1]) and "element" not in text


def one_by_one(fault: str, statement: Statement) -> WrongValue:
    """The error for a container in a place that takes one value."""
    return WrongValue(
        f"{fault}: pass values one by one, as in db.sql(text, 3, 4), not in a list or dict, and"
        f" JSON as text: {statement.sql}",
        statement=statement.sql,
    )


def to_dicts(names: list[str], rows: list[Any]) -> list[dict[str, Any]]:
    """Each row by its names."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def into_structs(into: Any) -> Callable[[list[str], list[Any]], list[Any]]:
    """A decoder of rows into a type whose fields have the columns' names.

    Values are checked and turned into the fields' types, for nothing is known of their columns:
    SQLite has dates as text.
    """

    def decode(names: list[str], rows: list[Any]) -> list[Any]:
        try:
            return msgspec.convert(
                [dict(zip(names, row, strict=True)) for row in rows],
                list[into],
                strict=False,
                from_attributes=False,
            )
        except msgspec.ValidationError as error:
            raise QueryError(
                f"the rows do not fit {getattr(into, '__name__', into)}: {error}"
                f" (columns: {', '.join(names)})"
            ) from error

    return decode


def into_objects(table: Table, dialect: Any) -> Callable[[list[str], list[Any]], list[Any]]:
    """A decoder of rows into objects of a model, which have their rows in the database.

    Columns are found by their names there, or else by those of the fields; what is missing is
    UNSET, as after `Query.only`, and what the model does not have is left out.
    """
    fields = {field.name: field for field in table.fields.values()}
    fields |= {field.column: field for field in table.fields.values()}

    def decode(names: list[str], rows: list[Any]) -> list[Any]:
        found = [fields.get(name) for name in names]
        wanted = [field for field in found if field is not None]
        for field in wanted:
            if wanted.count(field) > 1:
                raise QueryError(
                    f"two columns of the rows are called {field.column}: select one of them, or"
                    f" call the other otherwise (columns: {', '.join(names)})"
                )
        lacking = [field.column for field in table.key if field not in wanted]
        if lacking and names:
            raise QueryError(
                f"a {table.model.__name__} needs its key: select {', '.join(lacking)}, too"
                f" (columns: {', '.join(names)})"
            )
        # Also `_new`, which is UNSET of an object that has a row.
        values = dict.fromkeys(table.slots, [UNSET] * len(rows))
        for position, each in enumerate(found):
            if each is not None:
                column = [row[position] for row in rows]
                try:
                    values[each.name] = _read(each, column, dialect)
                except (ValueError, TypeError, ArithmeticError) as error:
                    raise QueryError(f"the rows do not fit {each}: {error}") from error
        return [table.model(*row) for row in zip(*values.values(), strict=True)]

    return decode


def _read(field: Field, values: list[Any], dialect: Any) -> list[Any]:
    """Values of a column, as those of its field."""
    type = field.type
    decode = dialect.decoder(type)
    if decode is not None:
        values = [None if value is None else decode(value) for value in values]
    if type.kind not in ("json", "array", "enum"):  # whose decoders have checked them
        wanted = Optional[type.python] if field.nullable else type.python  # noqa: UP045
        values = msgspec.convert(values, list[wanted], strict=False)  # type: ignore[valid-type]
    elif None in values and not field.nullable:
        raise TypeError("it is NULL")
    return values
