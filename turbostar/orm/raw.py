"""Statements that an application writes itself: their placeholders, and what their rows become."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import msgspec

from turbostar.orm.engines.interface import Statement
from turbostar.orm.errors import QueryError

__all__ = ["into_structs", "statement_for", "to_dicts"]

# What is not code: text and names in quotes, comments, dollar-quoted text. And then a placeholder.
_PIECES = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/
      | \$(?P<number>\d+)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENTS = re.compile(r"\s+|--[^\n]*|/\*.*?\*/|\(", re.DOTALL)
_READS = re.compile(r"(?:SELECT|VALUES|EXPLAIN|WITH|PRAGMA|SHOW|TABLE)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|INTO|ANALYZE|PRAGMA)\b", re.IGNORECASE
)
_CHANGES_SESSION = re.compile(
    r"""^(?:RESET|LISTEN|UNLISTEN|PREPARE|DEALLOCATE|DISCARD|DECLARE|LOAD|BEGIN|START)\b
      | (?:^|;\s*)SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)
      | \bset_config\b | \bpg_(?:try_)?advisory_lock | \bTEMP(?:ORARY)?\b | \bATTACH\b""",
    re.IGNORECASE | re.VERBOSE,
)


@lru_cache(maxsize=1024)
def statement_for(kind: Literal["sqlite", "postgresql"], text: str) -> Statement:
    """The statement of a text with ``$1`` placeholders.

    What is not sure to read only is taken to write, which costs time and is never wrong.
    """
    start = 0
    while found := _COMMENTS.match(text, start):
        start = found.end()
    writes = _READS.match(text, start) is None or _WRITES.search(text, start) is not None
    sql = text if kind == "postgresql" else _PIECES.sub(_question_mark, text)
    changes = _CHANGES_SESSION.search(text[start:]) is not None
    return Statement(sql, writes or changes, True, session=changes)


def _question_mark(found: re.Match[str]) -> str:
    number = found["number"]
    return found[0] if number is None else f"?{number}"


def to_dicts(names: list[str], rows: list[Any]) -> list[dict[str, Any]]:
    """Each row by its names."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def into_structs(into: Any) -> Callable[[list[str], list[Any]], list[Any]]:
    """A decoder of rows into a type whose fields have the columns' names.

    Values are checked and turned into the fields' types, for nothing is known of their columns:
    SQLite has dates as text.
    """

    def decode(names: list[str], rows: list[Any]) -> list[Any]:
        try:
            return msgspec.convert(
                [dict(zip(names, row, strict=True)) for row in rows],
                list[into],
                strict=False,
                from_attributes=False,
            )
        except msgspec.ValidationError as error:
            raise QueryError(
                f"the rows do not fit {getattr(into, '__name__', into)}: {error}"
                f" (columns: {', '.join(names)})"
            ) from error

    return decode
