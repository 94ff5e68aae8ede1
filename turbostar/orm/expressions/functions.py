"""Functions and aggregates of SQL, the same on every database."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, as_condition, as_expression
from turbostar.orm.expressions.nodes import make
from turbostar.orm.types import (
    BOOL,
    DATE,
    DATETIME,
    FLOAT,
    INT,
    JSON,
    STR,
    ColumnType,
)

__all__ = [
    "PARTS", "Aggregate", "abs_", "avg", "coalesce", "count", "date_of", "date_part",
    "function", "greatest", "least", "length", "lower", "max_", "min_", "now", "nullif",
    "raw", "replace", "round_", "substr", "sum_", "today", "trim", "trunc", "upper", "value",
]  # fmt: skip

T = TypeVar("T")

PARTS = ("year", "month", "day", "hour", "minute", "second", "week", "weekday", "quarter")


def _known(argument: Any) -> Expression[Any]:
    made = getattr(argument, "key_columns", None)
    if made is not None and not isinstance(argument, Expression):
        first: Expression[Any] = made()[0]
        return first
    return as_expression(argument, cast=True)


def function(name: str, *args: Any, type: ColumnType | None = None) -> Expression[Any]:
    """A function of the database by its own name, which must be an identifier."""
    if not name.isidentifier():
        raise QueryError(f"{name!r} is no name of a function")
    made = [_known(arg) for arg in args]
    form = make("call", name, tuple(each.node for each in made), type=type)
    return Expression(form, tuple(value for each in made for value in each.values))


def _of(name: str, *args: Any, type: ColumnType | None = None) -> Expression[Any]:
    made = [_known(arg) for arg in args]
    form = make("function", name, tuple(each.node for each in made), type=type or made[0].node.type)
    return Expression(form, tuple(value for each in made for value in each.values))


def value(of: T) -> Expression[T]:
    """A value from Python as an expression."""
    return as_expression(of, cast=True)


def raw(sql: str, *values: Any, type: type[T] | None = None) -> Expression[T]:
    """SQL text of the program's own, with ``{}`` where each value goes. Never put input in it."""
    from turbostar.orm.types import type_of_annotation

    pieces = tuple(sql.split("{}"))
    if len(pieces) != len(values) + 1:
        raise QueryError(f"{sql!r} has {len(pieces) - 1} places {{}} for {len(values)} values")
    made = [as_expression(each, cast=True) for each in values]
    result = None if type is None else type_of_annotation(type)
    form = make("raw", pieces, tuple(each.node for each in made), type=result)
    return Expression(form, tuple(value for each in made for value in each.values))


def coalesce(first: Any, *others: Any) -> Expression[Any]:
    """The first that is not NULL."""
    head = _known(first)
    rest = [as_expression(other, head.node.type, cast=True) for other in others]
    return _of("coalesce", head, *rest)


def nullif(first: Any, other: Any) -> Expression[Any]:
    """NULL where both are equal, else the first."""
    head = _known(first)
    return _of("nullif", head, as_expression(other, head.node.type, cast=True))


def greatest(*args: Any) -> Expression[Any]:
    """The greatest of several; NULLs do not count on PostgreSQL, and win on SQLite."""
    return _of("greatest", *args)


def least(*args: Any) -> Expression[Any]:
    """The least of several."""
    return _of("least", *args)


def lower(text: Any) -> Expression[str]:
    """In lower case (SQLite knows that of ASCII only)."""
    return _of("lower", text, type=STR)


def upper(text: Any) -> Expression[str]:
    """In upper case (SQLite knows that of ASCII only)."""
    return _of("upper", text, type=STR)


def length(text: Any) -> Expression[int]:
    """How many characters."""
    return _of("length", text, type=INT)


def trim(text: Any) -> Expression[str]:
    """Without blanks at both ends."""
    return _of("trim", text, type=STR)


def replace(text: Any, old: str, new: str) -> Expression[str]:
    """With one text in place of another."""
    return _of("replace", text, old, new, type=STR)


def substr(text: Any, start: int, length: int | None = None) -> Expression[str]:
    """A part; the first character is 1."""
    return _of("substr", text, start, *(() if length is None else (length,)), type=STR)


def abs_(number: Any) -> Expression[Any]:
    """Without its sign."""
    return _of("abs", number)


def round_(number: Any, digits: int = 0) -> Expression[Any]:
    """Rounded to so many digits behind the point."""
    return _of("round", number, digits)


def now() -> Expression[dt.datetime]:
    """This moment, by the database's clock; that of the transaction's start on PostgreSQL."""
    return Expression(make("function", "now", (), type=DATETIME))


def today() -> Expression[dt.date]:
    """This day, by the database's clock."""
    return Expression(make("function", "today", (), type=DATE))


def date_part(part: str, of: Any) -> Expression[int]:
    """A part of a date or time, in UTC: one of `PARTS`; Monday is weekday 0."""
    if not isinstance(part, str) or part not in PARTS:
        raise QueryError(f"there is no part {part!r} of a date; there are {', '.join(PARTS)}")
    made = _known(of)
    return Expression(make("date_part", part, made.node, type=INT), made.values)


def date_of(of: Any) -> Expression[dt.date]:
    """The day of a moment, in UTC."""
    return _of("date", of, type=DATE)


def trunc(unit: str, of: Any) -> Expression[dt.datetime]:
    """The start of the year, month, day, hour or minute of a moment, in UTC."""
    if not isinstance(unit, str) or unit not in ("year", "month", "day", "hour", "minute"):
        raise QueryError(f"trunc takes year, month, day, hour or minute, not {unit!r}")
    made = _known(of)
    return Expression(make("trunc", unit, made.node, type=DATETIME), made.values)


class Aggregate(Expression[T], Generic[T], eq=False, frozen=True):
    """A value computed over several rows."""

    def filter(self, *conditions: Condition | bool) -> Aggregate[T]:
        """Over those rows only that meet the conditions."""
        from turbostar.orm.expressions.base import combined

        condition = combined("and", map(as_condition, conditions))
        form = make("filtered", self.node, condition.node, type=self.node.type)
        return Aggregate(form, self.values + condition.values)

    def over(
        self, *, partition: Any = (), order: Any = (), frame: str | None = None
    ) -> Expression[T]:
        """As a window function; see `turbostar.orm.window`."""
        from turbostar.orm.expressions.windows import window

        return window(self, partition=partition, order=order, frame=frame)


def _aggregated(name: str, of: Any) -> Expression[Any]:
    """What is aggregated; a text is meant as a name, and would be a value."""
    if isinstance(of, str):
        raise QueryError(f"{name} takes a column, such as User.age, not the text {of!r}")
    return _known(of)


def _aggregate(
    name: str, of: Any, distinct: bool, type: ColumnType | None, separator: Any = None
) -> Aggregate[Any]:
    made = _aggregated(name, of)
    form = make("aggregate", name, distinct, made.node, separator, type=type or made.node.type)
    return Aggregate(form, made.values)


def count(of: Any = None, *, distinct: bool = False) -> Aggregate[int]:
    """How many rows, or how many values that are not NULL."""
    if of is None or (isinstance(of, str) and of == "*"):
        return Aggregate(make("aggregate", "count", False, None, None, type=INT))
    return _aggregate("count", of, distinct, INT)


def sum_(of: Any, *, distinct: bool = False) -> Aggregate[Any]:
    """The sum; NULL of no rows."""
    return _aggregate("sum", of, distinct, None)


def avg(of: Any) -> Aggregate[Any]:
    """The mean, as float; of times taken, as timedelta."""
    type = _aggregated("avg", of).node.type
    if type is not None and type.kind == "timedelta":
        return _aggregate("avg_time", of, False, type)
    return _aggregate("avg", of, False, FLOAT)


def min_(of: Any) -> Aggregate[Any]:
    """The least."""
    return _aggregate("min", of, False, None)


def max_(of: Any) -> Aggregate[Any]:
    """The greatest."""
    return _aggregate("max", of, False, None)


def string_agg(of: Any, separator: str = ",") -> Aggregate[str]:
    """Texts in a row, with a separator."""
    made = _aggregated("string_agg", of)
    parted = as_expression(separator, STR, cast=True)
    form = make("aggregate", "string_agg", False, made.node, parted.node, type=STR)
    return Aggregate(form, made.values + parted.values)


def json_agg(of: Any) -> Aggregate[Any]:
    """All values, as a JSON array."""
    return _aggregate("json_agg", of, False, JSON)


def every(condition: Any) -> Aggregate[bool]:
    """All are true."""
    return _aggregate("every", condition, False, BOOL)


def some(condition: Any) -> Aggregate[bool]:
    """At least one is true."""
    return _aggregate("some", condition, False, BOOL)
