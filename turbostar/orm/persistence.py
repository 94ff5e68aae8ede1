"""One object and its row: insert, update, delete, refresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET

from turbostar.orm.binding import database_of
from turbostar.orm.errors import NotFound, OrmError, QueryError, UniqueViolation
from turbostar.orm.expressions.base import Expression
from turbostar.orm.table import Table, table_of
from turbostar.orm.writes import writes_of

__all__ = ["delete", "get_or_create", "insert", "refresh", "save"]

M = TypeVar("M")

HOOKS = ("before_save", "after_save", "before_delete", "after_delete", "after_commit")


async def insert(instance: Any, database: Any = None) -> None:
    """INSERT; what the database fills in comes back into the object."""
    model = type(instance)
    if database is None:
        database = database_of(model)
    if model.__turbostar_hooks__:
        await _hook(instance, "before_save")
    writes = writes_of(model, database.dialect)
    absent, values = model.__turbostar_values__(instance)
    plan, returned = writes.inserts.get(absent) or writes.insert(absent)
    if returned:
        row = await database.executor().fetch(plan.statement, plan.bind(values), plan.decode)
        for field, value in zip(returned, row, strict=True):
            model.__turbostar_set__(instance, field.name, value)
    else:
        await database.executor().execute(plan.statement, plan.bind(values))
    model.__turbostar_set__(instance, "_new", UNSET)
    if model.__turbostar_hooks__:
        await _after(instance, "after_save", database)


async def save(instance: Any, database: Any = None) -> None:
    """INSERT of a new object; UPDATE of what was changed in one that has a row."""
    if instance._new is not UNSET:
        await insert(instance, database)
        return
    model = type(instance)
    if database is None:
        database = database_of(model)
    if model.__turbostar_hooks__:
        await _hook(instance, "before_save")
    state = instance.__dict__
    changed = state.get("_changed")
    if changed:
        await _update(instance, model, database, changed)
        state.pop("_changed", None)
        state.pop("_key", None)
    if model.__turbostar_hooks__:
        await _after(instance, "after_save", database)


async def _update(instance: Any, model: Any, database: Any, changed: set[str]) -> None:
    table: Table = model.__turbostar_table__
    for field in table.fields.values():
        if field.spec.on_update is not None and field.name not in changed:
            setattr(instance, field.name, field.spec.on_update())
    names = tuple(name for name in table.fields if name in changed)
    values = [getattr(instance, name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is UNSET:
            raise OrmError(f"{model.__name__}.{name} is UNSET: give it a value before save()")
    key = key_of(instance)
    if any(isinstance(value, Expression) for value in values):
        await _update_computed(instance, model, database, dict(zip(names, values, strict=True)))
        return
    writes = writes_of(model, database.dialect)
    plan = writes.updates.get(names) or writes.update(names)
    parameters = plan.bind((*values, *key))
    if writes.computed:
        rows = await database.executor().fetch(plan.statement, parameters, plan.decode)
        if rows:
            for field, value in zip(writes.computed, rows[0], strict=True):
                model.__turbostar_set__(instance, field.name, value)
        count = len(rows)
    else:
        count = await database.executor().execute(plan.statement, parameters)
    if not count:
        raise gone(instance, key)


async def _update_computed(
    instance: Any, model: Any, database: Any, changes: dict[str, Any]
) -> None:
    """UPDATE with expressions; their values are read back in the same transaction."""
    key = key_of(instance)
    async with database.transaction():
        query = model.__turbostar_all__.using(database)
        for field, value in zip(model.__turbostar_table__.key, key, strict=True):
            query = query.filter(getattr(model, field.name) == value)
        if not await query.update(**changes):
            raise gone(instance, key)
        for name, value in changes.items():
            if not isinstance(value, Expression):
                model.__turbostar_set__(instance, name, value)
        read = [name for name, value in changes.items() if isinstance(value, Expression)]
        found = await query.values(*read).one()
        for name, value in found.items():
            model.__turbostar_set__(instance, name, value)


async def delete(instance: Any, database: Any = None) -> None:
    """DELETE of the object's row."""
    model = type(instance)
    if instance._new is not UNSET:
        raise OrmError(f"this {model.__name__} has no row to delete: it was never saved")
    if database is None:
        database = database_of(model)
    if model.__turbostar_hooks__:
        await _hook(instance, "before_delete")
    plan = writes_of(model, database.dialect).delete
    key = key_of(instance)
    if not await database.executor().execute(plan.statement, plan.bind(key)):
        raise gone(instance, key)
    model.__turbostar_set__(instance, "_new", None)
    instance.__dict__.clear()
    if model.__turbostar_hooks__:
        await _after(instance, "after_delete", database)


async def refresh(instance: Any, database: Any = None) -> None:
    """Reads the row again; changes not saved, and loaded relations, are forgotten."""
    model = type(instance)
    if database is None:
        database = database_of(model)
    plan = writes_of(model, database.dialect).get
    key = key_of(instance)
    found = await database.executor().fetch(plan.statement, plan.bind(key), plan.decode)
    if found is None:
        raise gone(instance, key)
    table: Table = model.__turbostar_table__
    for name in table.fields:
        model.__turbostar_set__(instance, name, getattr(found, name))
    for name in table.relations:
        model.__turbostar_set__(instance, name, UNSET)
    model.__turbostar_set__(instance, "_new", UNSET)
    instance.__dict__.pop("_changed", None)
    instance.__dict__.pop("_key", None)


def key_of(instance: Any) -> tuple[Any, ...]:
    """The key of an object's row, as it is in the database."""
    kept: tuple[Any, ...] | None = instance.__dict__.get("_key")
    if kept is not None:
        return kept
    key = tuple(getattr(instance, field.name) for field in type(instance).__turbostar_table__.key)
    if UNSET in key:
        raise OrmError(f"this {type(instance).__name__} has no key yet: save it first")
    return key


def gone(instance: Any, key: tuple[Any, ...]) -> NotFound:
    """The error for an object whose row is no longer there."""
    table = type(instance).__turbostar_table__
    told = ", ".join(f"{f.name}={value!r}" for f, value in zip(table.key, key, strict=True))
    return NotFound(f"the row of this {type(instance).__name__} ({told}) is no longer there")


async def _hook(instance: Any, name: str) -> None:
    if name in type(instance).__turbostar_hooks__:
        await getattr(instance, name)()


async def _after(instance: Any, name: str, database: Any) -> None:
    await _hook(instance, name)
    if "after_commit" in type(instance).__turbostar_hooks__:
        await database.on_commit(instance.after_commit)


def given_key(model: Any, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key that `get` was given: its values, or one tuple of them."""
    fields = model.__turbostar_table__.key
    if len(fields) > 1 and len(key) == 1 and isinstance(key[0], tuple):
        key = key[0]
    if len(key) != len(fields):
        names = ", ".join(field.name for field in fields)
        raise QueryError(f"{model.__name__}.get takes its key ({names}), not {len(key)} values")
    return key


def note_change(instance: Any, table: Table, name: str) -> None:
    """A column of an object that has a row is about to change."""
    state = instance.__dict__
    if table.fields[name].primary and "_key" not in state:
        state["_key"] = key_of(instance)
    changed = state.get("_changed")
    if changed is None:
        state["_changed"] = {name}
    else:
        changed.add(name)


def note_relation(instance: Any, relation: Any, value: Any) -> None:
    """A relation of an object is about to be set: its key follows."""
    if not relation.owns_key or value is UNSET:
        return
    if value is not None and not isinstance(value, relation.target):
        raise TypeError(f"{relation} takes a {relation.target.__name__}, not {value!r}")
    for mine, its in zip(relation.local, relation.remote, strict=True):
        setattr(instance, mine.name, None if value is None else getattr(value, its.name))


async def get_or_create(
    model: Any, defaults: dict[str, Any], lookups: dict[str, Any], database: Any
) -> tuple[Any, bool]:
    """The row that meets the look-ups, or a new one; also where another makes it meanwhile."""
    query = model.all() if database is None else model.all().using(database)
    found = await query.get_or_none(**lookups)
    if found is not None:
        return found, False
    made = model(**{**lookups, **defaults})
    if database is None:
        database = database_of(model)
    try:
        async with database.transaction():
            await insert(made, database)
    except UniqueViolation:
        found = await query.get_or_none(**lookups)
        if found is None:
            raise
        return found, False
    return made, True


def made_of(model: Callable[..., M], values: dict[str, Any]) -> M:
    """A new object; a name that is no field of the model is told as elsewhere."""
    try:
        return model(**values)
    except TypeError as exc:
        table = table_of(model)
        for name in values:
            if name not in table.fields and name not in table.relations:
                raise table.unknown(name) from exc
        raise
