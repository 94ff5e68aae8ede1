"""One object and its row: insert, update, delete, refresh."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import UNSET

from turbostar.orm.binding import database_of
from turbostar.orm.errors import NotFound, OrmError, QueryError, UniqueViolation
from turbostar.orm.expressions.base import Expression
from turbostar.orm.fields import Field
from turbostar.orm.table import Table, table_of
from turbostar.orm.writes import key_given, writes_of

__all__ = [
    "delete", "filled_in", "get_or_create", "insert", "made_of", "refresh", "require_agreeing",
    "save", "set_on_update", "written_anew",
]  # fmt: skip

M = TypeVar("M")

HOOKS = ("before_save", "after_save", "before_delete", "after_delete", "after_commit")


async def insert(instance: Any, database: Any = None) -> None:
    """INSERT; what the database fills in comes back into the object."""
    model = type(instance)
    if instance._new is not None:
        raise TypeError(f"{model.__name__} takes its values by name, not by position")
    if database is None:
        database = database_of(model)
    if model.__turbostar_hooks__:
        await _hook(instance, "before_save")
    writes = writes_of(model, database.dialect)
    absent, values = model.__turbostar_values__(instance)
    plan, returned = writes.inserts.get(absent) or writes.insert(absent)
    row: Any = ()
    if returned:
        row = await database.executor().fetch(plan.statement, plan.bind(values), plan.decode)
    else:
        await database.executor().execute(plan.statement, plan.bind(values))
    if model.__turbostar_kept__(instance, values):
        for field, value in zip(returned, row, strict=True):
            model.__turbostar_set__(instance, field.name, value)
    else:
        filled_in(instance, values, returned, row)
    model.__turbostar_set__(instance, "_new", UNSET)
    scope = database.scope.get()
    if scope is not None:
        scope.written.inserted(instance, [field.name for field in returned])
    if model.__turbostar_hooks__:
        await _after(instance, "after_save", database)


def filled_in(
    instance: Any, values: Sequence[Any], returned: Sequence[Field], row: Sequence[Any]
) -> None:
    """What the database has filled in, for an object that may have been changed during its INSERT.

    What was set meanwhile stays, and is still to be saved.

    Args:
        instance: whose row has just been written.
        values: that were written, as `Table.written` has the fields.
        returned: the fields that came back, and `row` their values.
    """
    table: Table = type(instance).__turbostar_table__
    had = dict(zip([field.name for field in table.written], values, strict=True))
    changed = {name for name, value in had.items() if getattr(instance, name) is not value}
    for field, value in zip(returned, row, strict=True):
        had[field.name] = value
        if field.name not in changed:
            type(instance).__turbostar_set__(instance, field.name, value)
    if changed:
        instance.__dict__["_changed"] = changed
    if any(field.name in changed for field in table.key):
        instance.__dict__["_key"] = tuple(had[field.name] for field in table.key)


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
    changed = instance.__dict__.get("_changed")
    if changed:
        await _save_changes(instance, model, database, changed)
    if model.__turbostar_hooks__:
        await _after(instance, "after_save", database)


async def _save_changes(instance: Any, model: Any, database: Any, changed: set[str]) -> None:
    """UPDATE of the changed columns; what is set while it is under way stays changed."""
    table: Table = model.__turbostar_table__
    for relation in table.relations.values():
        if relation.owns_key and relation.local[0].name in changed:
            _take_key(instance, relation)
    set_on_update(instance, changed)
    names = tuple(name for name in table.fields if name in changed)
    values = [getattr(instance, name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is UNSET:
            raise OrmError(f"{model.__name__}.{name} is UNSET: give it a value before save()")
    key = key_of(instance)
    computed = {n: v for n, v in zip(names, values, strict=True) if isinstance(v, Expression)}
    if computed:
        changes = dict(zip(names, values, strict=True))
        values = await _update_computed(instance, model, database, changes, key)
    else:
        await _update(instance, model, database, names, values, key)
    scope = database.scope.get()
    if scope is not None:
        scope.written.updated(instance, key, names, computed)
    written_anew(instance, dict(zip(names, values, strict=True)), key)


def set_on_update(instance: Any, names: Collection[str]) -> list[str]:
    """Set what each UPDATE sets, but for these names; return which fields that were."""
    found = []
    for field in type(instance).__turbostar_table__.fields.values():
        if field.spec.on_update is not None and field.name not in names:
            setattr(instance, field.name, field.spec.on_update())
            found.append(field.name)
    return found


def written_anew(instance: Any, written: dict[str, Any], key: tuple[Any, ...]) -> None:
    """Its row, which had this key, has these values; what was set since is still to be saved."""
    state = instance.__dict__
    changed = state.get("_changed", set())
    changed -= {name for name, value in written.items() if getattr(instance, name) is value}
    if not changed:
        state.pop("_changed", None)
    fields = type(instance).__turbostar_table__.key
    now = tuple(written.get(field.name, had) for field, had in zip(fields, key, strict=True))
    if any(field.name in changed for field in fields):
        state["_key"] = now
    else:
        state.pop("_key", None)


def _take_key(instance: Any, relation: Any) -> None:
    """The key of an object that was set as a relation, and had none yet then."""
    other = type(instance).__dict__[relation.name].peek(instance)
    if other is None or other is UNSET:
        return
    for field in relation.local:
        if getattr(instance, field.name) is UNSET:
            value = key_given(relation, field, other)
            type(instance).__turbostar_set__(instance, field.name, value)


async def _update(
    instance: Any,
    model: Any,
    database: Any,
    names: tuple[str, ...],
    values: list[Any],
    key: tuple[Any, ...],
) -> None:
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
    instance: Any, model: Any, database: Any, changes: dict[str, Any], key: tuple[Any, ...]
) -> list[Any]:
    """UPDATE with expressions; gives the values, which are read back in the same transaction."""
    table: Table = model.__turbostar_table__

    def row(at: tuple[Any, ...]) -> Any:
        query = model.__turbostar_all__.using(database)
        for field, value in zip(table.key, at, strict=True):
            query = query.filter(getattr(model, field.name) == value)
        return query

    async with database.transaction():
        old = row(key)
        moved = {f.name: v for f in table.key if isinstance(v := changes.get(f.name), Expression)}
        if moved:
            changes = {**changes, **(await old.values(**moved).one())}
        if not await old.update(**changes):
            raise gone(instance, key)
        names = [name for name, value in changes.items() if isinstance(value, Expression)]
        names += [field.name for field in table.computed]
        new = row(tuple(changes.get(f.name, v) for f, v in zip(table.key, key, strict=True)))
        found = {**changes, **(await new.values(*names).one() if names else {})}
    given = {name: getattr(instance, name) for name in found}
    for name, value in found.items():
        # Not over what somebody has set while this was under way.
        if name not in changes or isinstance(given[name], Expression):
            model.__turbostar_set__(instance, name, value)
    return [found[name] for name in changes]


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
    scope = database.scope.get()
    if scope is not None:
        scope.written.updated(instance, key, instance.__dict__.get("_changed", ()))
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
    made = made_of(model, {**lookups, **defaults})
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


def require_agreeing(table: Table, values: Mapping[str, Any]) -> None:
    """Raises `QueryError` for a relation that the columns given beside it contradict.

    And for one that is in another table, where a row of this one cannot hold it.
    """
    for name, relation in table.relations.items():
        other = values.get(name, UNSET)
        if other is UNSET:
            continue
        if not relation.owns_key:
            raise QueryError(f"{relation} is not in the table {table.name}: {_instead(relation)}")
        for mine, its in zip(relation.local, relation.remote, strict=True):
            given = values.get(mine.name, UNSET)
            key = getattr(other, its.name, other)
            if given is not UNSET and (isinstance(given, Expression) or given != key):
                raise QueryError(
                    f"{relation} and {mine} are given, and contradict each other: give one of them"
                )


def _instead(relation: Any) -> str:
    """How objects get into a relation whose key is elsewhere."""
    if relation.through is not None:
        return f"once the object is saved, say await obj.link({relation}, ...)"
    back = relation.back
    return f"set {back} of each {back.model.__name__}"


def made_of(model: Callable[..., M], values: dict[str, Any]) -> M:
    """A new object; a name that is no field of the model is told as elsewhere."""
    table = table_of(model)
    require_agreeing(table, values)
    try:
        return model(**values)
    except TypeError as exc:
        for name in values:
            if name not in table.fields and name not in table.relations:
                raise table.unknown(name) from exc
        raise
