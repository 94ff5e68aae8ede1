"""Objects of relations: one query for each relation of a whole result, or joined."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import combined
from turbostar.orm.expressions.columns import Column, column_of
from turbostar.orm.fields import Field
from turbostar.orm.lookups import resolved
from turbostar.orm.relations.paths import RelationPath, RelationQuery
from turbostar.orm.relations.relation import Relation

__all__ = ["Load", "fetch", "load_all", "remember_peers", "with_joined", "with_loads"]

#: So many keys at most are asked for in one query.
BATCH = 10_000

_set = msgspec.Struct.__setattr__


class Load(msgspec.Struct, frozen=True, eq=False):
    """A relation to load, what of it is wanted, and what to load of its objects in turn."""

    relation: Relation
    query: Any = None
    inner: tuple[Load, ...] = ()


def with_loads(query: Any, relations: Sequence[Any]) -> Any:
    """The query, with relations to load afterwards."""
    loads = query.loads
    for item in relations:
        loads = _merged(loads, *_way(query.shape.model, item))
    return msgspec.structs.replace(query, loads=loads)


def _way(model: Any, item: Any) -> tuple[tuple[Relation, ...], Any]:
    narrowed = None
    if isinstance(item, str):
        item = resolved(model, item)
    if isinstance(item, RelationQuery):
        item, narrowed = item.path, item.query
    if not isinstance(item, RelationPath):
        raise QueryError(f"load takes relations, such as {model.__name__}.posts, not {item!r}")
    path = item.__turbostar_path__
    if path[0].model is not model:
        raise QueryError(
            f"{item!r} is a relation of {path[0].model.__name__}, not {model.__name__}"
        )
    return path, narrowed


def _merged(loads: tuple[Load, ...], path: tuple[Relation, ...], query: Any) -> tuple[Load, ...]:
    head, rest = path[0], path[1:]
    known = next((load for load in loads if load.relation is head), None)
    made = known or Load(head)
    if rest:
        made = msgspec.structs.replace(made, inner=_merged(made.inner, rest, query))
    elif query is not None:
        made = msgspec.structs.replace(made, query=query)
    if known is None:
        return (*loads, made)
    return tuple(made if load is known else load for load in loads)


def with_joined(query: Any, relations: Sequence[Any]) -> Any:
    """The query, with relations to one joined into its statement."""
    shape = query.shape
    if shape.columns is not None or shape.compound:
        raise QueryError("load(joined=True) is for queries of objects, not of columns or unions")
    joined = list(shape.joined)
    for item in relations:
        path, narrowed = _way(shape.model, item)
        if narrowed is not None:
            raise QueryError("load(joined=True) takes a relation without a filter")
        for end in range(1, len(path) + 1):
            if path[end - 1].to_many:
                raise QueryError(f"{path[end - 1]} is to many: load it without joined=True")
            if path[:end] not in joined:
                joined.append(path[:end])
    found = tuple(joined)
    return msgspec.structs.replace(query, shape=shape.step(("joined", found), joined=found))


async def load_all(objects: Sequence[Any], loads: Iterable[Load], database: Any) -> None:
    """Loads relations of all objects, and of what was loaded in turn."""
    for load in loads:
        related = await _load(objects, load, database)
        if related and load.inner:
            await load_all(related, load.inner, database)


async def _load(objects: Sequence[Any], load: Load, database: Any) -> list[Any]:
    relation = load.relation
    if relation.through is not None:
        return await _load_through(objects, load, database)
    local = [field.name for field in relation.local]
    wanted = _keys(objects, local, relation)
    found = await _related(load, relation.remote, wanted, database)
    by_key: dict[Any, list[Any]] = {}
    names = [field.name for field in relation.remote]
    for each in found:
        by_key.setdefault(_key(each, names), []).append(each)
    for each in objects:
        mine = by_key.get(_key(each, local), [])
        if relation.to_many:
            _set(each, relation.name, mine)
        else:
            _set(each, relation.name, mine[0] if mine else None)
    return found


def _keys(objects: Sequence[Any], names: list[str], relation: Relation) -> list[Any]:
    wanted = dict.fromkeys(_key(each, names) for each in objects)
    wanted.pop(None, None)
    for key in wanted:
        if key is UNSET or (isinstance(key, tuple) and UNSET in key):
            raise QueryError(
                f"{relation} cannot be loaded without {', '.join(names)}: read it with only() too"
            )
    return list(wanted)


def _key(instance: Any, names: Sequence[str]) -> Any:
    if len(names) == 1:
        return getattr(instance, names[0])
    key = tuple(getattr(instance, name) for name in names)
    return None if None in key else key


async def _related(
    load: Load, fields: tuple[Field, ...], wanted: list[Any], database: Any
) -> list[Any]:
    """The objects whose fields have one of the keys."""
    query = load.query if load.query is not None else load.relation.target.filter()
    if database is not None:
        query = query.using(database)
    if query.shape.limit is not None or query.shape.offset is not None:
        raise QueryError(f"{load.relation}: a limit would be one for all of its objects together")
    if query.shape.only is not None:
        missing = [field for field in fields if field not in query.shape.only]
        if missing:
            query = query.only(*(f.name for f in query.shape.only), *(f.name for f in missing))
    columns = [column_of(field) for field in fields]
    found: list[Any] = []
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        found += await query.filter(_one_of(columns, some))
    return found


def _one_of(columns: list[Column[Any]], keys: list[Any]) -> Any:
    if len(columns) == 1:
        return columns[0].in_(keys)
    return combined(
        "or",
        [
            combined("and", [column == part for column, part in zip(columns, key, strict=True)])
            for key in keys
        ],
    )


async def _load_through(objects: Sequence[Any], load: Load, database: Any) -> list[Any]:
    relation = load.relation
    assert relation.through is not None
    near, far = relation.through
    names = [field.name for field in near.remote]
    wanted = _keys(objects, names, relation)
    near_columns = [column_of(field) for field in near.local]
    pairs = near.model.unscoped().values_list(
        *near_columns, *(column_of(field) for field in far.local)
    )
    pairs = pairs.using(database) if database is not None else pairs
    links: list[tuple[Any, Any]] = []
    width = len(near.local)
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        for row in await pairs.filter(_one_of(near_columns, some)):
            mine, its = row[:width], row[width:]
            links.append((mine[0] if width == 1 else mine, its[0] if len(its) == 1 else its))
    keys = list(dict.fromkeys(its for _, its in links))
    found = await _related(load, far.remote, keys, database) if keys else []
    its_names = [field.name for field in far.remote]
    place = {_key(each, its_names): index for index, each in enumerate(found)}
    by_key: dict[Any, list[int]] = {}
    for mine, its in links:
        if its in place:
            by_key.setdefault(mine, []).append(place[its])
    for each in objects:
        places = sorted(by_key.get(_key(each, names), ()))
        _set(each, relation.name, [found[index] for index in places])
    return found


def remember_peers(objects: list[Any]) -> None:
    """Lets each object know the others of its result, as long as they live."""
    peers = [weakref.ref(each) for each in objects]
    for each in objects:
        each.__dict__["_peers"] = peers


async def fetch(instance: Any, relations: Sequence[Any], database: Any) -> None:
    """Loads relations of one object, or of all its peers at once; what is loaded stays."""
    model = type(instance)
    loads: tuple[Load, ...] = ()
    for item in relations:
        loads = _merged(loads, *_way(model, item))
    known = instance.__dict__.get("_peers")
    peers = [instance]
    if known is not None:
        peers = [each for ref in known if (each := ref()) is not None]
    await _fetch([instance], peers, loads, database)


async def _fetch(
    objects: Sequence[Any], peers: Sequence[Any], loads: Iterable[Load], database: Any
) -> None:
    """Loads what some objects lack, for their peers as well."""
    for load in loads:
        attribute = type(objects[0]).__dict__[load.relation.name]
        if load.query is not None:
            await _load(objects, load, database)
        elif any(attribute.peek(each) is UNSET for each in objects):
            await _load([each for each in peers if attribute.peek(each) is UNSET], load, database)
        inner = _loaded(objects, attribute)
        if load.inner and inner:
            await _fetch(inner, _loaded(peers, attribute), load.inner, database)


def _loaded(objects: Sequence[Any], attribute: Any) -> list[Any]:
    """All that a relation of some objects leads to, as far as it is loaded."""
    found: list[Any] = []
    for each in objects:
        value = attribute.peek(each)
        if isinstance(value, list):
            found += value
        elif value is not None and value is not UNSET:
            found.append(value)
    return found
