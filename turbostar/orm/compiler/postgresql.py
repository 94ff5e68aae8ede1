"""SQL as PostgreSQL 12 and later takes it, and what speaks its protocol."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from turbostar.orm.compiler.dialect import Dialect
from turbostar.orm.types import ColumnType

__all__ = ["DIALECT", "PostgreSQLDialect"]


#: Digits that a numeric may be said to have.
_MOST = 1_000


class PostgreSQLDialect(Dialect):
    """PostgreSQL, with the types that asyncpg gives and takes."""

    name = "postgresql"
    has_arrays = True
    has_locks = True
    has_distinct_on = True
    numbered = True
    types = {
        "int": "bigint",
        "float": "double precision",
        "str": "text",
        "bytes": "bytea",
        "bool": "boolean",
        "decimal": "numeric",
        "datetime": "timestamp with time zone",
        "date": "date",
        "time": "time",
        "timedelta": "interval",
        "uuid": "uuid",
        "json": "jsonb",
    }
    direct = {
        "int": int,
        "float": float,
        "str": str,
        "bytes": bytes,
        "bool": bool,
        "decimal": decimal.Decimal,
        "date": dt.date,
        "timedelta": dt.timedelta,
        "uuid": uuid.UUID,
    }
    functions = {
        "now": "now()",
        "today": "cast(now() at time zone 'UTC' as date)",
        "concat": "concat({*})",
        "date": "cast({} at time zone 'UTC' as date)",
        "round": "round(cast({} as numeric), cast({} as integer))",
        "substr": lambda *args: (
            "substr(" + ", ".join([args[0], *(f"cast({arg} as integer)" for arg in args[1:])]) + ")"
        ),
    }
    aggregates = {
        "json_agg": "jsonb_agg({})",
        "every": "bool_and({})",
        "some": "bool_or({})",
        "avg": "cast(avg({}) as double precision)",
        "avg_time": "avg({})",
    }
    parts = {"weekday": "isodow"}

    def placeholder(self, number: int) -> str:
        return f"${number}"

    def type_name(self, type: ColumnType, length: int | None = None) -> str:
        if type.kind == "array":
            assert type.item is not None
            return self.type_name(type.item) + "[]"
        if type.kind == "enum":
            assert type.item is not None
            return self.type_name(type.item)
        if type.kind == "decimal" and (type.precision is not None or type.scale is not None):
            scale = "" if type.scale is None else f", {type.scale}"
            return f"numeric({_MOST if type.precision is None else type.precision}{scale})"
        if type.kind == "str" and length is not None:
            return f"varchar({length})"
        return self.types[type.kind]

    def slot(self, placeholder: str, type: ColumnType | None, cast: bool) -> str:
        """A parameter's place, with its type where nothing else tells it."""
        if not cast or type is None:
            return placeholder
        return f"cast({placeholder} as {self.type_name(type)})"

    def decoder(self, type: ColumnType) -> Callable[[Any], Any] | None:
        if type.kind == "enum":
            return type.python  # type: ignore[no-any-return]
        if type.kind == "json":
            return msgspec.json.Decoder(type.python).decode
        return None

    def date_part(self, part: str, text: str) -> str:
        """A part of a date, as a number."""
        word = self.parts.get(part, part)
        less = " - 1" if part == "weekday" else ""
        return f"(cast(floor(extract({word} from {text})) as bigint){less})"

    def truncated(self, unit: str, text: str, type: ColumnType | None) -> str:
        """The start of a unit of time."""
        day = type is not None and type.kind == "date"
        moment = f"cast({text} as timestamp)" if day else f"{text} at time zone 'UTC'"
        return f"(date_trunc('{unit}', {moment}) at time zone 'UTC')"

    def json_has(self, left: str, right: str) -> str:
        """JSON contains other JSON."""
        return f"{left} @> {right}"

    def array_has(self, left: str, right: str) -> str:
        """An array has an item."""
        return f"{right} = any({left})"

    def array_item(self, left: str, index: str) -> str:
        """An item of an array, counted from 0."""
        return f"({left})[{index} + 1]"

    def explanation(self, analyze: bool) -> tuple[str, Callable[[list[Any]], str]]:
        """What stands before a statement to have it explained, and what reads the answer."""
        words = "explain (analyze, buffers)" if analyze else "explain"
        return words, lambda rows: "\n".join(str(row[0]) for row in rows)

    def matched(self, word: str, left: str, right: str) -> str:
        """LIKE or ILIKE."""
        return f"{left} {word} {right}"

    def in_values(self, left: str, slot: str, type: ColumnType | None) -> str:
        """One of the values of a list, which is one parameter."""
        if type is not None:
            slot = f"cast({slot} as {self.type_name(type)})"
        return f"{left} = any({slot})"

    def json_path(self, root: str, path: tuple[str | int, ...], type: ColumnType | None) -> str:
        """A value in JSON, as JSON if `type` is, else as text cast to the type."""
        steps = [str(step) if isinstance(step, int) else _text(step) for step in path]
        inner = "".join(f" -> {step}" for step in steps[:-1])
        if type is None or type.kind == "json":
            return f"({root}{inner} -> {steps[-1]})"
        text = f"({root}{inner} ->> {steps[-1]})"
        return text if type.kind == "str" else f"cast({text} as {self.type_name(type)})"


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


DIALECT = PostgreSQLDialect()
