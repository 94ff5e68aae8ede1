"""Values on their way to a driver: of the right type, or an error that names the column."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from turbostar.orm.errors import WrongValue
from turbostar.orm.types import ColumnType

__all__ = ["Encode", "checked", "wrong"]

Encode = Callable[[Any], Any]

_WANTED = {
    "int": "an int",
    "float": "a float or int",
    "str": "a str",
    "bytes": "bytes",
    "bool": "a bool",
    "decimal": "a Decimal or int",
    "datetime": "a datetime with a zone",
    "date": "a date",
    "time": "a time",
    "timedelta": "a timedelta",
    "uuid": "a UUID",
}


def wrong(label: str, type: ColumnType, value: Any) -> WrongValue:
    """The error for a value that its place cannot take."""
    wanted = _WANTED.get(type.kind, type.name)
    if isinstance(value, dt.time) and value.tzinfo is not None:
        hint = f"{value!r}, which has a zone"
    elif (
        isinstance(value, dt.datetime) and type.kind == "datetime" and value.utcoffset() is not None
    ):
        hint = f"{value}, which in UTC is out of range"
    elif isinstance(value, dt.datetime) and type.kind == "datetime":
        hint = "a datetime without a zone; make it with a zone, as datetime.now(UTC) does"
    else:
        shown = repr(value)
        shown = shown if len(shown) < 80 else shown[:77] + "..."
        hint = f"{shown} ({_name(value)})"
    return WrongValue(f"{label or 'a parameter'} takes {wanted}, not {hint}")


def _name(value: Any) -> str:
    return type(value).__name__


def _int(value: Any) -> Any:
    return int(value) if isinstance(value, int) else NotImplemented


def _float(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, float | int) else NotImplemented
    except OverflowError:
        return NotImplemented


def _str(value: Any) -> Any:
    if isinstance(value, enum.Enum) and isinstance(value, str):
        return value.value
    return str(value) if isinstance(value, str) else NotImplemented


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else NotImplemented


def _bool(value: Any) -> Any:
    return value if isinstance(value, bool) else NotImplemented


def _decimal(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return value
    return decimal.Decimal(value) if isinstance(value, int) else NotImplemented


def _datetime(value: Any) -> Any:
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        return NotImplemented
    if not 1 < value.year < 9999:
        try:
            return value.astimezone(dt.UTC)
        except OverflowError:
            return NotImplemented
    return value


def _date(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    return NotImplemented


def _time(value: Any) -> Any:
    return value if isinstance(value, dt.time) and value.tzinfo is None else NotImplemented


def _timedelta(value: Any) -> Any:
    return value if isinstance(value, dt.timedelta) else NotImplemented


def _uuid(value: Any) -> Any:
    return value if isinstance(value, uuid.UUID) else NotImplemented


#: Types of JSON columns that any JSON is of, as far as it can be told.
_ANYTHING = (Any, dict, list, dict[str, Any], list[Any])

_CHECKS: dict[str, Encode] = {
    "int": _int,
    "float": _float,
    "str": _str,
    "bytes": _bytes,
    "bool": _bool,
    "decimal": _decimal,
    "datetime": _datetime,
    "date": _date,
    "time": _time,
    "timedelta": _timedelta,
    "uuid": _uuid,
}


def checked(type: ColumnType, label: str, stored: dict[str, Encode]) -> Encode:
    """A function that checks a value's type and turns it into what a driver stores.

    Args:
        type: of the column.
        label: how messages call its place.
        stored: what this database's driver wants of each kind, where not the value itself.
    """
    if type.kind == "json":
        return _json(type, label)
    if type.kind == "enum":
        return _enum(type, label)
    if type.kind == "array":
        assert type.item is not None
        return _array(type, label, checked(type.item, label, stored))
    check, store = _CHECKS[type.kind], stored.get(type.kind)

    def encode(value: Any) -> Any:
        if value is None:
            return None
        found = check(value)
        if found is NotImplemented:
            raise wrong(label, type, value)
        return found if store is None else store(found)

    return encode


def _json(type: ColumnType, label: str) -> Encode:
    encode_json = msgspec.json.Encoder().encode
    # Read back, for what the column's type does not allow could never be read.
    read_back = None if type.python in _ANYTHING else msgspec.json.Decoder(type.python).decode

    def encode(value: Any) -> Any:
        if value is None:
            return None
        try:
            text = encode_json(value)
            if read_back is not None:
                read_back(text)
        except (TypeError, ValueError, OverflowError) as exc:
            raise WrongValue(f"{label or 'a parameter'} takes JSON, and {exc}") from exc
        return text.decode()

    return encode


def _enum(type: ColumnType, label: str) -> Encode:
    python: Any = type.python

    def encode(value: Any) -> Any:
        if value is None:
            return None
        try:
            return python(value).value
        except ValueError:
            raise wrong(label, type, value) from None

    return encode


def _array(type: ColumnType, label: str, item: Encode) -> Encode:
    def encode(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, str | bytes | dict) or not hasattr(value, "__iter__"):
            raise wrong(label, type, value)
        return [item(each) for each in value]

    return encode
