"""Plans: for each form of a query the statement, what binds its values, what decodes its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from turbostar.orm.codegen import execute
from turbostar.orm.compiler.expressions import ExpressionCompiler
from turbostar.orm.compiler.write import WriteCompiler
from turbostar.orm.engines.interface import Statement
from turbostar.orm.rows import Decode, decoder_of
from turbostar.orm.shapes import Shape

__all__ = ["Plan", "binder", "plan_for"]


class Plan(msgspec.Struct, eq=False, frozen=True):
    """A compiled query.

    Args:
        statement: its text, with what an engine must know.
        bind: from a query's values to the statement's parameters; raises `WrongValue`.
        decode: from the driver's rows to the result.
    """

    statement: Statement
    bind: Callable[[Any], Sequence[Any]]
    decode: Decode

    @property
    def source(self) -> str:
        """The source of the functions that were made for it."""
        parts = [getattr(each, "__turbostar_source__", "") for each in (self.bind, self.decode)]
        return "\n".join(part for part in parts if part)

    def __str__(self) -> str:
        return f"{self.statement.sql}\n\n{self.source}"


def plan_for(shape: Shape, dialect: Any, purpose: str) -> Plan:
    """The plan of a shape, made the first time.

    Args:
        shape: the query's.
        dialect: the database's.
        purpose: ``rows``, ``first``, ``count``, ``exists``, ``update`` or ``delete``.
    """
    key = dialect if purpose == "rows" else (dialect, purpose)
    found: Plan | None = shape.plans.get(key)
    if found is None:
        found = shape.plans[key] = _compiled(shape, dialect, purpose)
    return found


def _compiled(shape: Shape, dialect: Any, purpose: str) -> Plan:
    compiler = WriteCompiler(dialect)
    label = f"{purpose} of {shape.model.__name__}"
    if purpose == "update":
        text = compiler.update(shape)
        return assembled(compiler, text, label, touched, writes=True, returns_rows=False)
    if purpose == "delete":
        text = compiler.delete(shape)
        return assembled(compiler, text, label, touched, writes=True, returns_rows=False)
    decode: Decode
    if purpose == "count":
        text, decode = compiler.select(shape, what="count"), _only
    elif purpose == "exists":
        inner = compiler.select(shape, what="existence")
        text, decode = f"select exists ({inner})", _truth
    else:
        text, decode = compiler.select(shape), decoder_of(shape, dialect)
        if purpose == "first":
            decode = first_of(decode)
    writes = bool(shape.lock) and dialect.has_locks
    return assembled(compiler, text, label, decode, writes=writes, returns_rows=True)


def assembled(
    compiler: ExpressionCompiler,
    text: str,
    label: str,
    decode: Decode,
    *,
    writes: bool,
    returns_rows: bool,
    cacheable: bool = True,
) -> Plan:
    """The plan for a text with numbered places."""
    sql, order = compiler.finish(text)
    statement = Statement(sql=sql, writes=writes, returns_rows=returns_rows, cacheable=cacheable)
    return Plan(statement, binder(compiler, order, label), decode)


def binder(compiler: ExpressionCompiler, order: list[int], label: str) -> Any:
    """A function from a query's values to the parameters, each encoded for its place."""
    if not order:
        return _nothing
    dialect = compiler.dialect
    namespace: dict[str, Any] = {}
    texts = []
    for number in order:
        type, place = compiler.places[number]
        namespace[f"encode{number}"] = dialect.encoder(type, place)
        direct = dialect.direct.get(type.kind) if type is not None else None
        if direct is None:
            texts.append(f"encode{number}(values[{number}])")
        else:
            namespace[direct.__name__] = direct
            texts.append(
                f"v if type(v := values[{number}]) is {direct.__name__} else encode{number}(v)"
            )
    lines = ",\n        ".join(texts)
    source = f"def bind(values):\n    return (\n        {lines},\n    )\n"
    return execute(source, "bind", f"parameters of {label}", namespace)


def _nothing(values: Any) -> tuple[Any, ...]:
    return ()


def touched(rows: list[Any]) -> Any:
    """For statements that return no rows."""
    return rows


def _only(rows: list[Any]) -> Any:
    return rows[0][0]


def _truth(rows: list[Any]) -> bool:
    return bool(rows[0][0])


def first_of(decode: Decode) -> Decode:
    """The decoder for the first row alone, or None."""

    def first(rows: list[Any]) -> Any:
        return decode(rows[:1])[0] if rows else None

    first.__turbostar_source__ = getattr(decode, "__turbostar_source__", "")  # type: ignore[attr-defined]
    return first
