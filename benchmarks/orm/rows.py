"""The rows that every side stores and reads: eight columns, of the types that applications have."""

from __future__ import annotations

import datetime
from typing import Any

COLUMNS = ("id", "name", "email", "age", "score", "active", "created", "note")
START = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=datetime.UTC)
STORED = 100  # rows that are there to be read, with the keys 1 to 100
BULK = 1_000
KEY = 42  # of the row that `get` reads


def row(number: int) -> dict[str, Any]:
    """The row of that number, without its key."""
    return {
        "name": f"Ada Lovelace the {number}th",
        "email": f"ada.{number}@example.org",
        "age": number % 90,
        "score": number / 7,
        "active": number % 3 != 0,
        "created": START + datetime.timedelta(minutes=number),
        "note": None if number % 2 else f"a note of some length about {number}",
    }


def row_of_six() -> dict[str, Any]:
    """What an object of six given fields is made of: the note is left to its default."""
    given = row(KEY)
    del given["note"]
    return given


def expected(number: int) -> tuple[Any, ...]:
    """The stored row of that number, as a tuple in the order of `COLUMNS`."""
    return (number, *row(number).values())


def plain(values: Any) -> tuple[Any, ...]:
    """One row as a side gives it, as a tuple that can be compared.

    An object is read by its attributes, and a mapping by its keys. A driver that knows neither
    bools nor dates gives numbers and text; a date without a zone is one of UTC.
    """
    if isinstance(values, tuple | list):
        found = dict(zip(COLUMNS, values, strict=True))
    elif isinstance(values, dict) or hasattr(values, "keys"):
        found = {name: values[name] for name in COLUMNS}
    else:
        found = {name: getattr(values, name) for name in COLUMNS}
    created = found["created"]
    if isinstance(created, str):
        created = datetime.datetime.fromisoformat(created)
    if created.tzinfo is None:
        created = created.replace(tzinfo=datetime.UTC)
    found["created"] = created
    found["active"] = bool(found["active"])
    return tuple(found.values())


def as_driver_takes_it(values: dict[str, Any]) -> tuple[Any, ...]:
    """A row without its key for `sqlite3`, which has no adapter for dates."""
    return tuple(
        value.isoformat(" ") if isinstance(value, datetime.datetime) else value
        for value in values.values()
    )
