"""SQL as SQLite 3.35 and later takes it."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from turbostar.orm.compiler.dialect import Dialect
from turbostar.orm.compiler.encoding import Encode, checked
from turbostar.orm.errors import WrongValue
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType

__all__ = ["DIALECT", "SQLiteDialect"]

_MICROSECOND = dt.timedelta(microseconds=1)
_WIDE = decimal.Context(prec=1_000)
_UTC = dt.timezone.utc  # noqa: UP017


def _datetime(value: dt.datetime) -> str:
    """In UTC and of fixed width, so that texts sort as moments do."""
    return value.astimezone(_UTC).isoformat(" ", "microseconds")


def _time(value: dt.time) -> str:
    return value.isoformat("microseconds")


def _float(value: float) -> float:
    """NaN would become NULL."""
    if value != value:
        raise WrongValue("SQLite keeps no NaN")
    return value


def _decimal(value: decimal.Decimal) -> float | int:
    """As a number, which sorts and adds up; SQLite keeps 15 digits of it exactly."""
    if not value.is_finite():
        raise WrongValue(f"SQLite keeps no {value}")
    normal = value.normalize()
    if len(normal.as_tuple().digits) > 15:
        raise WrongValue(
            f"SQLite keeps 15 digits of a Decimal, not all of {value}: round it, or use PostgreSQL"
        )
    if normal.adjusted() > 300:
        raise WrongValue(f"SQLite keeps no number as large as {value}")
    whole = normal == normal.to_integral_value() and abs(normal) < 2**63
    return int(normal) if whole else float(normal)


def _scale(type: ColumnType) -> int | None:
    """Digits behind the point: none, if the type has a precision alone."""
    return 0 if type.scale is None and type.precision is not None else type.scale


def _rounded(type: ColumnType, label: str) -> Encode:
    """Rounds as PostgreSQL does, and refuses what the precision has no room for."""
    scale = _scale(type) or 0
    step = decimal.Decimal(1).scaleb(-scale)
    most = None if type.precision is None else decimal.Decimal(1).scaleb(type.precision - scale)

    def encode(value: decimal.Decimal) -> float | int:
        if value.is_finite() and value.adjusted() < 300:  # the rest has no room below either
            value = value.quantize(step, decimal.ROUND_HALF_UP, _WIDE)
        if most is not None and value.is_finite() and abs(value) >= most:
            raise WrongValue(
                f"{label or 'a parameter'} takes {type.precision} digits, {scale} of them behind"
                f" the point, not {value}"
            )
        return _decimal(value)

    return encode


class SQLiteDialect(Dialect):
    """SQLite: dates as text, UUIDs as text, decimals as numbers, booleans as 0 and 1."""

    name = "sqlite"
    nulls_first = True
    types = {
        "int": "integer",
        "float": "real",
        "str": "text",
        "bytes": "blob",
        "bool": "boolean",
        "decimal": "numeric",
        "datetime": "text",
        "date": "text",
        "time": "text",
        "timedelta": "integer",
        "uuid": "text",
        "json": "text",
        "array": "text",
    }
    casts = {
        "bool": "integer",
    }
    direct = {"int": int, "str": str, "bytes": bytes, "bool": bool}
    stored = {
        "datetime": _datetime,
        "date": dt.date.isoformat,
        "time": _time,
        "timedelta": lambda value: value // _MICROSECOND,
        "float": _float,
        "decimal": _decimal,
        "uuid": str,
    }
    functions = {
        "now": "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')",
        "today": "date('now')",
        "greatest": lambda *args: f"max({', '.join(args)})",
        "least": lambda *args: f"min({', '.join(args)})",
        "concat": lambda *args: "(" + " || ".join(f"coalesce({arg}, '')" for arg in args) + ")",
        "date": "date({})",
        "round": "round({}, {})",
    }
    aggregates = {
        "string_agg": "group_concat({}, {})",
        "json_agg": "json_group_array({})",
        "avg_time": "avg({})",
        "every": "min({})",
        "some": "max({})",
    }
    parts = {
        "year": "%Y",
        "month": "%m",
        "day": "%d",
        "hour": "%H",
        "minute": "%M",
        "second": "%S",
    }
    truncations = {
        "year": "%Y-01-01 00:00:00.000000+00:00",
        "month": "%Y-%m-01 00:00:00.000000+00:00",
        "day": "%Y-%m-%d 00:00:00.000000+00:00",
        "hour": "%Y-%m-%d %H:00:00.000000+00:00",
        "minute": "%Y-%m-%d %H:%M:00.000000+00:00",
    }

    def table(self, name: str, schema: str | None) -> str:
        """A table's name; what a schema is elsewhere is another file here, and left out."""
        return self.quote(name)

    def placeholder(self, number: int) -> str:
        return "?"

    def type_name(self, type: ColumnType, length: int | None = None) -> str:
        kind = type.item.kind if type.kind == "enum" and type.item else type.kind
        return self.types[kind]

    def cast(self, text: str, type: ColumnType) -> str:
        kind = type.item.kind if type.kind == "enum" and type.item else type.kind
        if kind in ("datetime", "date", "time", "uuid", "json", "array"):
            return text
        return f"cast({text} as {self.casts.get(kind, self.types[kind])})"

    def slot(self, placeholder: str, type: ColumnType | None, cast: bool) -> str:
        """A parameter's place; values carry their types with them."""
        return placeholder

    def encoder(self, type: ColumnType | None, label: str = "") -> Encode:
        if type is not None and type.kind == "array":
            listed = checked(type, label, self.stored)
            encode_json = msgspec.json.Encoder().encode

            def encode(value: Any) -> Any:
                found = listed(value)
                return None if found is None else encode_json(found).decode()

            return encode
        if type is not None and type.kind == "decimal" and _scale(type) is not None:
            return checked(type, label, {"decimal": _rounded(type, label)})
        return super().encoder(type, label)

    def decoder(self, type: ColumnType) -> Callable[[Any], Any] | None:
        if type.kind == "enum":
            return type.python  # type: ignore[no-any-return]
        if type.kind in ("json", "array"):
            return msgspec.json.Decoder(type.python).decode
        if type.kind == "decimal":
            return _decimal_decoder(type)
        return _DECODERS.get(type.kind)

    def date_part(self, part: str, text: str) -> str:
        """A part of a date, as a number."""
        if part == "weekday":
            return f"((cast(strftime('%w', {text}) as integer) + 6) % 7)"
        if part == "quarter":
            return f"((cast(strftime('%m', {text}) as integer) + 2) / 3)"
        if part == "week":
            # The ISO week: that of the Thursday of the same week.
            day = f"strftime('%j', date({text}, '-3 days', 'weekday 4'))"
            return f"((cast({day} as integer) + 6) / 7)"
        return f"cast(strftime('{self.parts[part]}', {text}) as integer)"

    def truncated(self, unit: str, text: str, type: ColumnType | None) -> str:
        """The start of a unit of time."""
        return f"strftime('{self.truncations[unit]}', {text})"

    def computed(
        self,
        left: str,
        operator: str,
        right: str,
        left_type: ColumnType | None,
        right_type: ColumnType | None,
    ) -> str:
        kinds = (left_type.kind if left_type else "", right_type.kind if right_type else "")
        if kinds == ("datetime", "timedelta"):
            seconds = f"({'-' if operator == '-' else ''}({right}) / 1000000.0)"
            return f"strftime('%Y-%m-%d %H:%M:%f000+00:00', {left}, {seconds} || ' seconds')"
        if kinds == ("datetime", "datetime"):
            days = f"julianday({left}) - julianday({right})"
            return f"cast(round(({days}) * 86400000) as integer) * 1000"
        return super().computed(left, operator, right, left_type, right_type)

    def json_number(self, text: str) -> str:
        """A number by its value, for as text 1.0 is not 1; other JSON stays text."""
        number = "json_type(v) in ('integer', 'real')"
        return (
            f"(select case when {number} then json_extract(v, '$') else v end"
            f" from (select {text} as v))"
        )

    def assigned(self, text: str, type: ColumnType, node: Node) -> str:
        """An int for a column of ints, rounded as PostgreSQL does it: SQLite would keep a float."""
        kind = "" if node.type is None else node.type.kind
        if type.kind == "int" and kind in ("float", "decimal") and node.kind != "slot":
            return f"cast(round({text}) as integer)"
        scale = _scale(type) if type.kind == "decimal" else None
        return text if scale is None or node.kind == "slot" else f"round({text}, {scale})"

    def json_has(self, left: str, right: str) -> str:
        """A JSON array has an item, or both are equal."""
        found = f"json_quote(value) = {right}"
        return f"exists (select 1 from json_each({left}) where {found})"

    def array_has(self, left: str, right: str) -> str:
        """An array, kept as JSON, has an item."""
        return f"{right} in (select value from json_each({left}))"

    def array_item(self, left: str, index: str) -> str:
        """An item of an array, counted from 0."""
        return f"json_extract({left}, '$[' || {index} || ']')"

    def explanation(self, analyze: bool) -> tuple[str, Callable[[list[Any]], str]]:
        """What stands before a statement to have it explained, and what reads the answer."""
        return "explain query plan", _tree

    def matched(self, word: str, left: str, right: str) -> str:
        """LIKE; its own disregard of case, where wanted, is that of ASCII."""
        if word == "ilike":
            left, right = f"lower({left})", f"lower({right})"
        return f"{left} like {right} escape '\\'"

    def in_values(self, left: str, slot: str, type: ColumnType | None) -> str:
        """One of the values of a list, which comes as JSON."""
        return f"{left} in (select value from json_each({slot}))"

    def json_path(self, root: str, path: tuple[str | int, ...], type: ColumnType | None) -> str:
        """A value in JSON, as JSON if `type` is, else as SQL's own."""
        steps = ""
        for step in path:
            if isinstance(step, int):
                steps += f"[{step}]" if step >= 0 else f"[#{step}]"
            elif _ESCAPED.search(step):
                # Paths of SQLite have no way to name it: found among all keys.
                inner = _json_at(root, steps) if steps else root
                value = _AS_JSON.format("type", "value", "json_quote(value)")
                root, steps = (
                    f"(select {value} from json_each({inner}) where key = {_text(step)})",
                    "",
                )
            else:
                steps += f'."{step}"'
        if type is None or type.kind == "json":
            return _json_at(root, steps) if steps else root
        return f"json_extract({root}, {_text('$' + steps)})"


def _tree(rows: list[Any]) -> str:
    """SQLite's steps, indented as they lie within each other."""
    depth: dict[int, int] = {}
    lines = []
    for number, parent, _, text in rows:
        depth[number] = depth.get(parent, -1) + 1
        lines.append("  " * depth[number] + text)
    return "\n".join(lines)


#: A value of JSON as JSON text: its type, what an object or array is, and what else is.
_AS_JSON = (
    "case {0} when 'true' then 'true' when 'false' then 'false' when 'null' then 'null'"
    " when 'object' then {1} when 'array' then {1} else {2} end"
)
#: In a key, what JSON has no way to write but by an escape.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


def _json_at(root: str, steps: str) -> str:
    """The value at a path, as JSON text; NULL if there is none."""
    place = f"{root}, {_text('$' + steps)}"
    found = f"json_extract({place})"
    other = f"nullif(json_quote({found}), 'null')"
    return "(" + _AS_JSON.format(f"json_type({place})", found, other) + ")"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _decimal_decoder(type: ColumnType) -> Callable[[Any], Any]:
    Decimal = decimal.Decimal
    scale = _scale(type)
    if scale is None:
        # The 15 digits that SQLite keeps; what a sum of floats has beyond them is noise.
        return lambda value: Decimal(f"{value:.15g}" if value.__class__ is float else value)
    step = Decimal(1).scaleb(-scale)
    return lambda value: Decimal(f"{value:.15g}").quantize(step)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "float": float,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda value: dt.timedelta(microseconds=value),
    "uuid": uuid.UUID,
}

DIALECT = SQLiteDialect()
