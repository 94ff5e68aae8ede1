"""What a query does when it is awaited."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from turbostar.orm.binding import database_of
from turbostar.orm.errors import MultipleFound, NotFound, QueryError
from turbostar.orm.expressions.base import Expression, as_expression
from turbostar.orm.expressions.columns import column_of
from turbostar.orm.expressions.nodes import slot
from turbostar.orm.fields import Field
from turbostar.orm.persistence import require_agreeing
from turbostar.orm.plans import Plan, plan_for
from turbostar.orm.relations.load import load_all, remember_peers

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["aggregate", "count", "delete", "exists", "explain", "first", "one", "one_or_none",
           "plan_of", "rows", "stream", "update"]  # fmt: skip


def plan_of(query: Query[Any], purpose: str) -> Plan:
    """The query's plan on its database."""
    return plan_for(query.shape, query._database().dialect, purpose)


def rows(query: Query[Any]) -> Coroutine[Any, Any, Any]:
    """All rows."""
    database = query.database
    if database is None:
        database = database_of(query.shape.model)
    plan = query.shape.plans.get(database.dialect)
    if plan is None:
        plan = plan_for(query.shape, database.dialect, "rows")
    fetched: Coroutine[Any, Any, Any] = database.executor().fetch(
        plan.statement, plan.bind(query.bound), plan.decode
    )
    if query.loads or query.with_peers:
        return _completed(query, fetched)
    return fetched


async def _completed(query: Query[Any], fetched: Coroutine[Any, Any, Any]) -> Any:
    objects = await fetched
    if objects:
        await _complete(query, objects)
    return objects


async def _complete(query: Query[Any], objects: list[Any]) -> None:
    if query.with_peers:
        remember_peers(objects)
    if query.loads:
        await load_all(objects, query.loads, query.database)


def _one_value(query: Query[Any], purpose: str) -> Coroutine[Any, Any, Any]:
    database = query._database()
    plan = plan_for(query.shape, database.dialect, purpose)
    found: Coroutine[Any, Any, Any] = database.executor().fetch(
        plan.statement, plan.bind(query.bound), plan.decode
    )
    return found


async def first(query: Query[Any]) -> Any:
    """The first row, or None."""
    shape = query.shape
    if not shape.ordering and not shape.columns and not shape.compound:
        key = shape.model.__turbostar_table__.key
        query = query.order(*(column_of(field) for field in key))
    query = query.limit(1) if query.shape.limit is None else query
    found = await _one_value(query, "first")
    if found is not None and (query.loads or query.with_peers):
        await _complete(query, [found])
    return found


async def one_or_none(query: Query[Any]) -> Any:
    """The only row, or None."""
    query = query.limit(2) if query.shape.limit is None else query
    found = await rows(query)
    if len(found) > 1:
        raise MultipleFound(f"{_told(query, 'several rows of', 'match')} where one was asked for")
    return found[0] if found else None


async def one(query: Query[Any]) -> Any:
    """The only row."""
    found = await one_or_none(query)
    if found is None:
        raise NotFound(_told(query, "no row of", "matches"))
    return found


def _told(query: Query[Any], rows: str, match: str) -> str:
    """Which rows were asked for, by model and conditions."""
    from turbostar.orm.expressions.shown import shown_conditions

    text = f"{rows} {query.shape.model.__name__}"
    conditions = shown_conditions(query.shape, query.bound)
    return f"{text} {match} {conditions}" if conditions else f"{text} {match}"


def count(query: Query[Any]) -> Coroutine[Any, Any, int]:
    """How many rows."""
    return _one_value(query, "count")


def exists(query: Query[Any]) -> Coroutine[Any, Any, bool]:
    """Whether there is one."""
    return _one_value(query, "exists")


async def aggregate(query: Query[Any], named: dict[str, Any]) -> dict[str, Any]:
    """Aggregates over all rows, as one dict."""
    from turbostar.orm.selection import parts_named, selected

    if query.shape.limit is not None or query.shape.offset is not None or query.shape.compound:
        raise QueryError("aggregate after limit, offset or union: filter by .id.in_(query) instead")
    parts = parts_named(query.shape.model, (), named)
    found = await rows(selected(query.order(), parts, into=None, flat=False))
    result: dict[str, Any] = found[0]
    return result


def update(query: Query[Any], changes: dict[str, Any]) -> Coroutine[Any, Any, int]:
    """UPDATE; how many rows there were."""
    if not changes:
        raise QueryError("update takes at least one column: update(age=3)")
    table = query.shape.model.__turbostar_table__
    pairs = []
    for name, value in resolved_changes(table, changes).items():
        field = table.field(name)
        if field.generated is not None:
            raise QueryError(f"{field} is computed by the database and cannot be set")
        pairs.append((field, _assigned(field, value)))
    for field in table.fields.values():
        if field.spec.on_update is not None and field.name not in changes:
            pairs.append((field, _assigned(field, field.spec.on_update())))
    names = tuple(field for field, _ in pairs)
    nodes = tuple(value.node for _, value in pairs)
    shape = query.shape
    key = ("update", names, nodes)
    found = shape.steps.get(key)
    if found is None:
        placed = shape.parts_from(nodes)
        assigned = tuple(
            (field, node, place) for field, (node, place) in zip(names, placed, strict=True)
        )
        found = shape.step(key, sum(node.size for node in nodes), assigned=assigned)
    bound = query.bound
    for _, value in pairs:
        bound += value.values
    return _executed(msgspec.structs.replace(query, shape=found, bound=bound), "update")


def _assigned(field: Field, value: Any) -> Expression[Any]:
    """What a column is set to; a value goes by the column's type alone, as in `save`."""
    if isinstance(value, Expression) or hasattr(value, "__turbostar_subquery__"):
        return as_expression(value)
    return Expression(slot(field.type, str(field)), (value,))


def resolved_changes(table: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """Changes by field: a relation stands for the columns of its key."""
    require_agreeing(table, changes)
    found: dict[str, Any] = {}
    for name, value in changes.items():
        relation = table.relations.get(name)
        if relation is None:
            found[name] = value
        else:
            for mine, its in zip(relation.local, relation.remote, strict=True):
                model = isinstance(value, relation.target)
                found[mine.name] = getattr(value, its.name) if model else value
    return found


def delete(query: Query[Any]) -> Coroutine[Any, Any, int]:
    """DELETE; how many rows there were."""
    return _executed(query, "delete")


def _executed(query: Query[Any], purpose: str) -> Coroutine[Any, Any, int]:
    database = query._database()
    plan = plan_for(query.shape, database.dialect, purpose)
    done: Coroutine[Any, Any, int] = database.executor().execute(
        plan.statement, plan.bind(query.bound)
    )
    return done


async def stream(query: Query[Any], chunk: int) -> AsyncIterator[Any]:
    """The rows one by one."""
    if chunk < 1:
        raise QueryError(f"stream takes a number of rows to read at a time, not {chunk}")
    database = query._database()
    plan = plan_for(query.shape, database.dialect, "rows")
    source = database.executor().stream(plan.statement, plan.bind(query.bound), chunk, plan.decode)
    async with contextlib.aclosing(source):
        async for objects in source:
            await _complete(query, objects)
            for each in objects:
                yield each


async def explain(query: Query[Any], analyze: bool) -> str:
    """The database's own plan."""
    database = query._database()
    plan = plan_for(query.shape, database.dialect, "rows")
    words, decode = database.dialect.explanation(analyze)
    statement = msgspec.structs.replace(
        plan.statement, sql=f"{words} {plan.statement.sql}", cacheable=False
    )
    text: str = await database.executor().fetch(statement, plan.bind(query.bound), decode)
    return text
