"""From Python's types to kinds of columns."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import types
import typing
import uuid
from typing import Any

import msgspec

__all__ = [
    "ColumnType", "array_of", "nullable_of", "type_of_annotation", "type_of_value", "unscaled",
]  # fmt: skip


class ColumnType(msgspec.Struct, frozen=True, eq=False):
    """What a column or an expression holds, apart from NULL.

    Args:
        kind: one of the words in `KINDS`, or ``enum``, ``json``, ``array``.
        python: the type in Python, as msgspec takes it.
        item: the type of an array's items, and that of an enum's values.
        precision: digits of a decimal.
        scale: of them, those behind the point.
    """

    kind: str
    python: Any
    item: ColumnType | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def name(self) -> str:
        """The type as messages call it."""
        return getattr(self.python, "__name__", None) or str(self.python)


KINDS: dict[Any, str] = {
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    bool: "bool",
    decimal.Decimal: "decimal",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "timedelta",
    uuid.UUID: "uuid",
}

_SIMPLE = {python: ColumnType(kind, python) for python, kind in KINDS.items()}
INT = _SIMPLE[int]
FLOAT = _SIMPLE[float]
STR = _SIMPLE[str]
BOOL = _SIMPLE[bool]
DATETIME = _SIMPLE[dt.datetime]
DATE = _SIMPLE[dt.date]
TIMEDELTA = _SIMPLE[dt.timedelta]
JSON = ColumnType("json", Any)


def unscaled(type: ColumnType) -> ColumnType:
    """The type of what is compared with a column, which is not rounded as what is put into it."""
    return _SIMPLE[decimal.Decimal] if type.kind == "decimal" else type


def nullable_of(annotation: Any) -> tuple[Any, bool]:
    """The annotation without None, and whether None was in it."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, nullable = nullable_of(typing.get_args(annotation)[0])
        if not nullable:
            return annotation, False
        return typing.Annotated[(inner, *annotation.__metadata__)], True
    if origin is typing.Union or origin is types.UnionType:
        options = typing.get_args(annotation)
        left = tuple(option for option in options if option is not type(None))
        if len(left) < len(options):
            return (left[0] if len(left) == 1 else typing.Union[left]), True  # noqa: UP007
    return annotation, False


def type_of_annotation(
    annotation: Any,
    *,
    json: bool = False,
    precision: int | None = None,
    scale: int | None = None,
) -> ColumnType:
    """The column type for an annotation without None; with `json`, whatever it is, as JSON."""
    bare = typing.get_args(annotation)[0] if _is_annotated(annotation) else annotation
    if json:
        return ColumnType("json", annotation)
    if precision is not None or scale is not None:
        return ColumnType("decimal", annotation, precision=precision, scale=scale)
    try:
        simple = _SIMPLE.get(bare)
    except TypeError:
        simple = None
    if simple is not None:
        return simple if bare is annotation else ColumnType(simple.kind, annotation)
    if isinstance(bare, type) and issubclass(bare, enum.Enum):
        values = {type(member.value) for member in bare}
        if values <= {int}:
            return ColumnType("enum", annotation, INT)
        if values <= {str}:
            return ColumnType("enum", annotation, STR)
        raise TypeError(f"the values of {bare.__name__} must be all int or all str")
    if isinstance(bare, typing.NewType):
        return type_of_annotation(bare.__supertype__)
    value: Any = getattr(bare, "__value__", None)
    if value is not None and type(bare).__name__ == "TypeAliasType":  # Python 3.12 and later
        return type_of_annotation(value)
    if typing.get_origin(bare) is typing.Literal:
        kinds = {type(value) for value in typing.get_args(bare)}
        if kinds == {str} or kinds == {int}:
            return ColumnType(KINDS[kinds.pop()], annotation)
    if typing.get_origin(bare) is list:
        item, nullable = nullable_of(typing.get_args(bare)[0])
        if not nullable and item in _SIMPLE:
            return ColumnType("array", annotation, _SIMPLE[item])
    if bare is object or isinstance(bare, typing.TypeVar | str | typing.ForwardRef):
        raise TypeError(f"{annotation!r} is no type of a column")
    return ColumnType("json", annotation)


_arrays: dict[ColumnType, ColumnType] = {}


def array_of(item: ColumnType) -> ColumnType:
    """The type of several values of a type, as one parameter."""
    found = _arrays.get(item)
    if found is None:
        found = _arrays[item] = ColumnType("array", list, item)
    return found


def _is_annotated(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Annotated


def type_of_value(value: Any) -> ColumnType:
    """The column type of a value that stands in an expression without a column."""
    found = _SIMPLE.get(type(value))
    if found is not None:
        return found
    if isinstance(value, enum.Enum):
        return type_of_annotation(type(value))
    for python, simple in _SIMPLE.items():
        if isinstance(value, python):
            return simple
    return JSON
