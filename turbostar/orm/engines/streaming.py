"""Results that are read piece by piece, outside of a transaction of the user's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from turbostar.orm.engines.interface import Decode, Engine, Statement

__all__ = ["stream_alone"]


async def stream_alone(
    engine: Engine, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
) -> AsyncIterator[Any]:
    """`Executor.stream` of an engine: in a transaction of its own, to the last piece."""
    transaction = await engine.begin(read_only=not statement.writes)
    try:
        rows = transaction.stream(statement, parameters, chunk, decode)
        async with aclosing(rows):  # type: ignore[type-var]
            async for part in rows:
                yield part
        await transaction.commit()
    finally:
        await transaction.rollback()
