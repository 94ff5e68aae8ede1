"""Many values of one column as a single parameter: a JSON array, which PostgreSQL takes apart.

Its driver looks at each item of an array several times, in Python; msgspec writes all of them at
once. The server makes texts of the items and casts these to the column's type.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from turbostar.orm.compiler.encoding import Encode, checked
from turbostar.orm.errors import WrongValue
from turbostar.orm.types import ColumnType

__all__ = ["ColumnWriter", "column_writer", "goes_as_json"]

#: From the values of a column to the text of the array.
ColumnWriter: TypeAlias = Callable[[list[Any]], str]


def _float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no such numbers


def _interval(value: dt.timedelta) -> str:
    return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"


#: By kind: a value as PostgreSQL reads it, where msgspec would write it otherwise.
_TEXTS: dict[str, Encode] = {
    "float": _float,
    "bytes": lambda value: "\\x" + value.hex(),
    "datetime": dt.datetime.isoformat,  # msgspec leaves out the seconds of an offset
    "time": dt.time.isoformat,
    "timedelta": _interval,
}
#: The type whose values msgspec takes as they are, by kind.
_DIRECT: dict[str, type] = {
    "int": int,
    "str": str,
    "bool": bool,
    "decimal": decimal.Decimal,
    "date": dt.date,
    "uuid": uuid.UUID,
}


def goes_as_json(type: ColumnType, given: str | None) -> bool:
    """Whether texts of a column's values can be cast to its type.

    Args:
        given: the type that the model names itself: what it takes, the driver knows.
    """
    return given is None and type.kind != "array"


def column_writer(type: ColumnType, label: str) -> ColumnWriter:
    """What writes the values of a column; it raises `WrongValue`.

    Args:
        label: how messages call the column.
    """
    encode, write = checked(type, label, _TEXTS), msgspec.json.Encoder().encode
    texts = _SPECIAL.get(type.kind)
    if texts is None:
        direct = _DIRECT.get(type.kind)

        def texts(values: list[Any], encode: Encode) -> list[Any]:
            return [value if value.__class__ is direct else encode(value) for value in values]

    def column(values: list[Any]) -> str:
        found = texts(values, encode)
        try:
            return write(found).decode()
        except (ValueError, OverflowError) as error:  # an int of 65 bits, half a surrogate pair
            raise WrongValue(f"a value does not fit its column: {label}: {error}") from error

    return column


def _floats(values: list[Any], encode: Encode) -> list[Any]:
    isfinite = math.isfinite
    return [
        value if value.__class__ is float and isfinite(value) else encode(value) for value in values
    ]


def _moments(values: list[Any], encode: Encode) -> list[Any]:
    utc = dt.UTC
    return [
        value.isoformat()
        if value.__class__ is dt.datetime and value.tzinfo is utc
        else encode(value)
        for value in values
    ]


#: By kind: the values of a column, most of them without a call of Python's.
_SPECIAL: dict[str, Callable[[list[Any], Encode], list[Any]]] = {
    "float": _floats,
    "datetime": _moments,
}
