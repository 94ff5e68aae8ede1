"""What SQLite's schema says of a constraint whose name, or table, an error leaves out.

Names are those that the table was made with; where it gave none, the one that PostgreSQL would
give, so that an application tells its errors apart by the same names on both.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any, NamedTuple

__all__ = ["ForeignKey", "foreign_keys", "named", "owner_of_check", "unique_key"]

_NAME = r'(?:"(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`|\w+)'
# CONSTRAINT name UNIQUE (a, b), as it stands by itself in a table.
_OF_TABLE = re.compile(
    rf"CONSTRAINT\s+({_NAME})\s+(UNIQUE|PRIMARY\s+KEY|FOREIGN\s+KEY)\s*\(([^()]*)\)", re.IGNORECASE
)
# a integer CONSTRAINT name UNIQUE, as it stands in a column.
_OF_COLUMN = re.compile(
    rf"[(,]\s*({_NAME})\s[^,()]*(?:\([^()]*\)[^,()]*)?"
    rf"CONSTRAINT\s+({_NAME})\s+(UNIQUE|PRIMARY\s+KEY|REFERENCES)",
    re.IGNORECASE,
)
_CHECK = re.compile(rf"CONSTRAINT\s+({_NAME})\s+CHECK", re.IGNORECASE)


class ForeignKey(NamedTuple):
    """One foreign key, as PRAGMA foreign_key_list has it."""

    number: int
    parent: str
    columns: tuple[str, ...]
    referred: tuple[str, ...]
    on_delete: str


def unique_key(connection: sqlite3.Connection, what: str) -> tuple[str, str, tuple[str, ...]]:
    """Table, constraint and columns of ``users.email, users.org`` or ``index 'by_name'``."""
    if what.startswith("index '"):
        index = what[len("index '") : -1]
        row = connection.execute(
            "SELECT tbl_name FROM sqlite_master WHERE type = 'index' AND name = ?", (index,)
        ).fetchone()
        return (row[0] if row else ""), index, ()
    parts = [part.rpartition(".") for part in what.split(", ")]
    table = parts[0][0]
    columns = tuple(column for _, _, column in parts)
    for _, index, unique, origin, *_ in _pragma(connection, "index_list", table):
        if unique and _columns_of(connection, index) == columns:
            if origin == "c":
                return table, index, columns
            return table, named(connection, table, columns, "UNIQUE", origin == "pk"), columns
    return table, named(connection, table, columns, "PRIMARY KEY", True), columns


def named(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], kind: str, primary: bool
) -> str:
    """The name of a key's constraint: its own, or the one PostgreSQL would give it."""
    wanted = "PRIMARY KEY" if primary else kind
    sql = _table_sql(connection, table)
    for name, found, inside in _OF_TABLE.findall(sql):
        names = tuple(_bare(part) for part in inside.split(","))
        if " ".join(found.upper().split()) == wanted and names == columns:
            return _bare(name)
    in_column = "REFERENCES" if wanted == "FOREIGN KEY" else wanted
    for column, name, found in _OF_COLUMN.findall(sql):
        if " ".join(found.upper().split()) == in_column and (_bare(column),) == columns:
            return _bare(name)
    if primary:
        return f"{table}_pkey"
    return f"{table}_{'_'.join(columns)}_{'fkey' if wanted == 'FOREIGN KEY' else 'key'}"


def owner_of_check(connection: sqlite3.Connection, what: str, written: str) -> str:
    """The table that has a check constraint; `written` is the one that the statement writes to."""
    if not written and what:
        for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK%'"
        ):
            if what in {_bare(found) for found in _CHECK.findall(sql)}:
                return str(name)
    return written


def foreign_keys(connection: sqlite3.Connection, table: str) -> list[ForeignKey]:
    """All foreign keys of a table."""
    found: dict[int, tuple[str, str, list[str], list[str | None]]] = {}
    for number, _, parent, column, referred, _, on_delete, _ in _pragma(
        connection, "foreign_key_list", table
    ):
        _, _, columns, keys = found.setdefault(number, (parent, on_delete, [], []))
        columns.append(column)
        keys.append(referred)
    result = []
    for number, (parent, on_delete, columns, keys) in found.items():
        referred = tuple(key for key in keys if key is not None)
        if not referred:
            ranks = [(row[5], row[1]) for row in _pragma(connection, "table_info", parent)]
            referred = tuple(name for rank, name in sorted(ranks) if rank)
        result.append(ForeignKey(number, parent, tuple(columns), referred, on_delete))
    return result


def _pragma(connection: sqlite3.Connection, name: str, of: str) -> list[Any]:
    return connection.execute(f"SELECT * FROM pragma_{name}(?)", (of,)).fetchall()


def _columns_of(connection: sqlite3.Connection, index: str) -> tuple[str, ...]:
    return tuple(row[2] for row in _pragma(connection, "index_info", index))


def _table_sql(connection: sqlite3.Connection, table: str) -> str:
    row = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    return row[0] if row else ""


def _bare(name: str) -> str:
    name = name.strip()
    if name[:1] == '"':
        return name[1:-1].replace('""', '"')
    return name[1:-1] if name[:1] in ("[", "`") else name
