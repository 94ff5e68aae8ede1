"""Statements on one connection, whoever holds it. Each gives the driver's rows, or a count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from turbostar.orm.engines.interface import Decode, DecodeNamed, Statement, Step
from turbostar.orm.engines.postgresql.driver import as_text, without_text
from turbostar.orm.engines.postgresql.pool import Link

__all__ = ["copy_rows", "execute", "execute_many", "fetch", "fetch_named", "steps_of"]


async def fetch(link: Link, statement: Statement, parameters: Sequence[Any]) -> list[Any]:
    """All rows."""
    if statement.cacheable:
        rows: list[Any] = await link.connection.fetch(statement.sql, *parameters)
        return rows
    prepared = await link.connection.prepare(statement.sql, name="")
    rows = await prepared.fetch(*parameters)
    return rows


async def fetch_named(
    link: Link, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
) -> Any:
    """All rows, with the names of their columns."""
    if statement.session:
        link.changed = True
    rows = await link.connection.fetch(statement.sql, *parameters)
    if rows:
        return decode(list(rows[0].keys()), rows)
    if statement.writes:
        return decode([], [])
    prepared = await link.connection.prepare(statement.sql, name="")
    return decode([column.name for column in prepared.get_attributes()], [])


async def execute(link: Link, statement: Statement, parameters: Sequence[Any]) -> int:
    """The count of rows touched."""
    if statement.session:
        link.changed = True
    status: str = await link.connection.execute(statement.sql, *parameters)
    count = status.rpartition(" ")[2]  # INSERT 0 3, UPDATE 2, CREATE TABLE
    return int(count) if count.isdecimal() else 0


async def execute_many(
    link: Link, statement: Statement, rows: Iterable[Sequence[Any]], decode: Decode | None
) -> Any:
    """One statement for each row, all or none."""
    if decode is None:
        await link.connection.executemany(statement.sql, rows)
        return None
    return decode(await link.connection.fetchmany(statement.sql, rows))


async def steps_of(link: Link, steps: Sequence[Step]) -> list[Any]:
    """Several statements, one after the other."""
    results: list[Any] = []
    for statement, parameters, decode in steps:
        if decode is None:
            results.append(await execute(link, statement, parameters))
        else:
            results.append(decode(await fetch(link, statement, parameters)))
    return results


async def copy_rows(
    link: Link,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    text: bool,
) -> int:
    """COPY, in the binary format, which has no use for timestamps as text."""
    schema, _, name = table.rpartition(".")
    if text:
        await without_text(link.connection)
    try:
        status: str = await link.connection.copy_records_to_table(
            name, schema_name=schema or None, columns=list(columns), records=rows
        )
    finally:
        if text and not link.connection.is_closed():
            await as_text(link.connection)
    return int(status.rpartition(" ")[2])
