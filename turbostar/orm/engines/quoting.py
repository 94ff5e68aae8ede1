"""Names in the SQL that engines write themselves."""

from __future__ import annotations

__all__ = ["quoted"]


def quoted(name: str) -> str:
    """An identifier within quotes, for SQLite and PostgreSQL alike.

    Raises:
        ValueError: it has a NUL character, which no name can have.
    """
    if "\0" in name:
        raise ValueError(f"{name!r} is no name: it has a NUL character")
    return '"' + name.replace('"', '""') + '"'
