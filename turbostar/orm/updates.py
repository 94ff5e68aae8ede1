"""Changes of many objects at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET

from turbostar.orm.binding import database_of
from turbostar.orm.errors import NotFound, OrmError, QueryError
from turbostar.orm.expressions.columns import Column
from turbostar.orm.fields import Field
from turbostar.orm.persistence import key_of, set_on_update, written_anew
from turbostar.orm.relations.paths import RelationPath
from turbostar.orm.table import Table
from turbostar.orm.writes import writes_of

__all__ = ["fields_named", "update_many"]


def fields_named(model: Any, item: Any) -> list[Field]:
    """The fields that a column, a relation or a name stands for."""
    table: Table = model.__turbostar_table__
    if isinstance(item, str) and item in table.relations:
        return list(table.relations[item].local)
    if isinstance(item, str):
        return [table.field(item)]
    if isinstance(item, Column) and item.field.model is model and not item.path:
        return [item.field]
    if isinstance(item, RelationPath):
        return [column.field for column in item.key_columns()]
    raise QueryError(f"a column of {model.__name__} is wanted, not {item!r}")


async def update_many(
    model: Any, objects: Iterable[Any], fields: Sequence[Any], database: Any = None
) -> int:
    """See `Model.update_many`."""
    if database is None:
        database = database_of(model)
    table: Table = model.__turbostar_table__
    named = [field for item in fields for field in fields_named(model, item)]
    groups: dict[tuple[str, ...], list[Any]] = {}
    for each in objects:
        if not isinstance(each, model):
            raise QueryError(f"update_many takes objects of {model.__name__}, not {each!r}")
        if each._new is not UNSET:
            raise OrmError(f"this {model.__name__} has no row to update: insert it first")
        changed = each.__dict__.get("_changed", ())
        names = [f.name for f in named] or [name for name in table.fields if name in changed]
        if names:
            names += set_on_update(each, names)
            groups.setdefault(tuple(names), []).append(each)
    if not groups:
        return 0
    writes = writes_of(model, database.dialect)
    done: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
    generated: list[Any] = []
    async with database.transaction() as scope:
        for words, some in groups.items():
            plan = writes.update_told(words)
            pairs = [(key_of(each), [getattr(each, name) for name in words]) for each in some]
            told = await database.executor().execute_many(
                plan.statement, [plan.bind((*values, *key)) for key, values in pairs], plan.decode
            )
            if len(told) < len(some):
                raise NotFound(
                    f"the rows of {len(some) - len(told)} of these {len(some)} {model.__name__} are"
                    " no longer there; nothing was changed"
                )
            generated.append(told)
            for each, (key, values) in zip(some, pairs, strict=True):
                done.append((each, key, dict(zip(words, values, strict=True))))
                scope.written.updated(each, key, words)
    for each, key, written in done:
        written_anew(each, written, key)
    start = len(table.key)
    for (each, _, _), row in zip(done, itertools.chain(*generated), strict=True):
        for field, value in zip(writes.computed, row[start:], strict=True):
            model.__turbostar_set__(each, field.name, value)
    return len(done)
