"""Who is measured."""

from __future__ import annotations

import importlib

from benchmarks.orm.sides.side import Side

SIDES = {
    "turbostar": ("turbostar", "Turbostar"),
    "Tortoise": ("tortoise", "Tortoise"),
    "SQLAlchemy": ("sqlalchemy", "SqlAlchemy"),
    "Piccolo": ("piccolo", "Piccolo"),
    "sqlite3": ("raw", "RawSqlite"),
    "aiosqlite": ("raw", "Aiosqlite"),
    "asyncpg": ("raw", "Asyncpg"),
    "asyncpg, no reset": ("raw", "AsyncpgWithoutReset"),
}


def side(name: str) -> type[Side]:
    """The class of the side of that name."""
    module, attribute = SIDES[name]
    found = getattr(importlib.import_module(f"benchmarks.orm.sides.{module}"), attribute)
    assert issubclass(found, Side)
    return found
