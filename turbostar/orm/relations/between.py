"""The table between two models, many to many: making it, and linking through it."""

from __future__ import annotations

import types
from collections.abc import Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from turbostar.orm.binding import database_of
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import combined
from turbostar.orm.expressions.columns import column_of
from turbostar.orm.fields import Index, Unique
from turbostar.orm.relations.declared import Ref, fk
from turbostar.orm.relations.paths import RelationPath

if TYPE_CHECKING:
    from turbostar.orm.relations.relation import Relation

__all__ = ["link", "make_between", "unlink"]


def make_between(relation: Relation) -> Any:
    """A model of two foreign keys, for a relation that names none."""
    from turbostar.orm.model import Model

    near, far = relation.model, relation.target
    mine, its = near.__name__.lower(), far.__name__.lower()
    if mine == its:
        mine, its = f"from_{mine}", f"to_{its}"
    table = relation.spec.table or f"{near.__turbostar_table__.name}_{relation.name}"

    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = near.__module__
        namespace["__annotations__"] = {
            mine: GenericAlias(Ref, near),
            its: GenericAlias(Ref, far),
        }
        namespace[mine] = fk(on_delete="cascade", primary_key=True, index=False)
        namespace[its] = fk(on_delete="cascade", primary_key=True)

    name = f"{near.__name__}{relation.name.title().replace('_', '')}"
    words = {"table": table, "schema": near.__turbostar_table__.schema}
    made = types.new_class(name, (Model,), words, body)
    made.__turbostar_table__.made_for = relation  # type: ignore[attr-defined]
    return made


def _through(instance: Any, path: Any) -> tuple[Relation, Relation, Relation]:
    if isinstance(path, str):
        path = getattr(type(instance), path)
    if not isinstance(path, RelationPath) or len(path.__turbostar_path__) != 1:
        raise QueryError(f"link and unlink take a relation of {type(instance).__name__}")
    relation = path.__turbostar_path__[0]
    if relation.model is not type(instance):
        raise QueryError(f"{relation} is no relation of {type(instance).__name__}")
    if relation.through is None:
        raise QueryError(f"{relation} is not many to many: set the foreign key of the other side")
    return (relation, *relation.through)


def _values(key: Relation, instance: Any) -> dict[str, Any]:
    if isinstance(instance, key.target):
        names = [field.name for field in key.remote]
        return {
            mine.name: getattr(instance, name) for mine, name in zip(key.local, names, strict=True)
        }
    given = instance if isinstance(instance, tuple) else (instance,)
    return {mine.name: value for mine, value in zip(key.local, given, strict=True)}


async def link(instance: Any, path: Any, others: Sequence[Any], database: Any) -> None:
    """Adds rows to the table between, where there are none yet."""
    relation, near, far = _through(instance, path)
    mine = _values(near, instance)
    between = near.model
    rows = [between(**mine, **_values(far, other)) for other in others]
    fields = (*near.local, *far.local)
    if rows and _told_apart(between, fields):
        target = [column_of(field) for field in fields]
        await between.insert_many(rows, on_conflict=target, update=(), using=database)
    elif rows:
        await _link_missing(between, mine, [field.name for field in fields], rows, database)
    _forget(instance, relation)


def _told_apart(between: Any, fields: tuple[Any, ...]) -> bool:
    """No two rows have the same of these columns, as a key or constraint sees to."""
    table = between.__turbostar_table__
    wanted = {field.name for field in fields}
    groups = [[field.name for field in table.key]]
    groups += [[field.name] for field in fields if field.spec.unique]
    for each in (*table.constraints, *table.indexes):
        index = isinstance(each, Index) and each.unique and each.where is None
        if index or isinstance(each, Unique):
            groups.append([name.lstrip("-") for name in each.columns])
    return any({_local(table, name) for name in group} == wanted for group in groups)


def _local(table: Any, name: str) -> str:
    relation = table.relations.get(name)
    return name if relation is None else str(relation.local[0].name)


async def _link_missing(
    between: Any, mine: dict[str, Any], names: list[str], rows: list[Any], database: Any
) -> None:
    """Where nothing keeps the database from having a pair twice, only what it has not."""
    if database is None:
        database = database_of(between)
    async with database.transaction():
        known = set(await between.unscoped().using(database).filter(**mine).values_list(*names))
        missing = []
        for row in rows:
            pair = tuple(getattr(row, name) for name in names)
            if pair not in known:
                known.add(pair)
                missing.append(row)
        await between.insert_many(missing, using=database)


async def unlink(instance: Any, path: Any, others: Sequence[Any], database: Any) -> None:
    """Removes rows from the table between."""
    relation, near, far = _through(instance, path)
    query = near.model.unscoped()
    if database is not None:
        query = query.using(database)
    mine = _values(near, instance)
    query = query.filter(*(getattr(near.model, name) == value for name, value in mine.items()))
    if others:
        each = [
            combined("and", [getattr(near.model, name) == v for name, v in keys.items()])
            for keys in (_values(far, other) for other in others)
        ]
        query = query.filter(combined("or", each))
    await query.delete()
    _forget(instance, relation)


def _forget(instance: Any, relation: Relation) -> None:
    from msgspec import UNSET

    type(instance).__turbostar_set__(instance, relation.name, UNSET)
