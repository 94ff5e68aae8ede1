"""What of each row is selected: some columns, named expressions, groups, locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, as_condition, as_expression
from turbostar.orm.expressions.columns import Column
from turbostar.orm.lookups import resolved
from turbostar.orm.relations.paths import RelationPath

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["Grouped", "lock_words", "named_parts", "only_fields", "struct_parts"]


def parts_named(
    model: Any, columns: Sequence[Any], named: dict[str, Any]
) -> list[tuple[str, Expression[Any]]]:
    """Names and expressions, of columns, relations, names of fields and keywords."""
    found: list[tuple[str, Expression[Any]]] = []
    for item in columns:
        name = None
        if isinstance(item, str):
            name, item = item.replace(".", "__"), resolved(model, item)
        if isinstance(item, tuple) and len(item) == 2:
            name, item = item
        if isinstance(item, RelationPath):
            name = name or "__".join(r.name for r in item.__turbostar_path__)
            keys = item.key_columns()
            if len(keys) == 1:
                found.append((name, keys[0]))
                continue
            found.extend((f"{name}__{key.name}", key) for key in keys)
        elif isinstance(item, Column):
            path = "__".join([*(relation.name for relation in item.path), item.name])
            found.append((name or path, item))
        elif isinstance(item, Expression) and name is not None:
            found.append((name, item))
        elif isinstance(item, Expression):
            found.append((f"{item.node.kind}_{len(found) + 1}", item))
        else:
            raise QueryError(f"columns, expressions or names are wanted, not {item!r}")
    for name, item in named.items():
        item = resolved(model, item) if isinstance(item, str) else item
        if isinstance(item, RelationPath):
            item = item.key_columns()[0]
        found.append((name, as_expression(item, cast=True)))
    return found


def selected(
    query: Query[Any], parts: list[tuple[str, Expression[Any]]], **more: Any
) -> Query[Any]:
    """The query, with these parts in place of the model's own columns."""
    names = tuple(name for name, _ in parts)
    nodes = tuple(part.node for _, part in parts)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise QueryError(f"two columns are called {twice!r}; name one by a keyword")
    key = ("columns", names, nodes, *more.items())
    shape = query.shape
    found = shape.steps.get(key)
    if found is None:
        placed = shape.parts_from(nodes)
        taken = sum(node.size for node in nodes)
        found = shape.step(key, taken, columns=placed, names=names, joined=(), only=None, **more)
    bound = query.bound
    for _, part in parts:
        bound += part.values
    return msgspec.structs.replace(query, shape=found, bound=bound, loads=(), with_peers=False)


def named_parts(
    query: Query[Any],
    columns: Sequence[Any],
    named: dict[str, Any],
    *,
    flat: bool,
    single: bool = False,
) -> Query[Any]:
    """For `Query.values` and `Query.values_list`; of no columns, all of the model's."""
    model = query.shape.model
    if not columns and not named:
        columns = list(model.__turbostar_table__.fields)
    parts = parts_named(model, columns, named)
    if single and len(parts) != 1:
        raise QueryError(f"flat=True takes one column, not {len(parts)}")
    return selected(query, parts, flat="one" if single else flat, into=None)


def struct_parts(query: Query[Any], struct: Any) -> Query[Any]:
    """For `Query.into`: the fields of the Struct by name, from what is selected or the model."""
    names = getattr(struct, "__struct_fields__", None)
    if names is None:
        raise QueryError(f"into takes a msgspec.Struct, not {struct!r}")
    if query.shape.columns is not None:
        missing = [name for name in query.shape.names if name not in names]
        if missing:
            raise QueryError(f"{struct.__name__} has no field {missing[0]!r}")
        key = ("into", struct)
        return msgspec.structs.replace(query, shape=query.shape.step(key, into=struct, flat=False))
    wanted: list[str] = []
    defaults = len(names) - len(struct.__struct_defaults__)
    for index, name in enumerate(names):
        try:
            resolved(query.shape.model, name)
        except QueryError:
            has_default = index >= defaults and (
                struct.__struct_defaults__[index - defaults] is not msgspec.NODEFAULT
            )
            if not has_default:
                raise
        else:
            wanted.append(name)
    parts = parts_named(query.shape.model, wanted, {})
    return selected(query, parts, into=struct, flat=False)


def only_fields(query: Query[Any], fields: Sequence[Any], *, keep: bool) -> Query[Any]:
    """For `Query.only` and `Query.defer`."""
    table = query.shape.model.__turbostar_table__
    named: set[str] = set()
    for item in fields:
        found = resolved(query.shape.model, item) if isinstance(item, str) else item
        if isinstance(found, RelationPath) and len(found.__turbostar_path__) == 1:
            named.update(column.field.name for column in found.key_columns() if not column.path)
        elif isinstance(found, Column) and not found.path:
            named.add(found.field.name)
        else:
            raise QueryError(f"only and defer take columns of {table.model.__name__}, not {item!r}")
    chosen = tuple(
        field for field in table.fields.values() if field.primary or (field.name in named) is keep
    )
    shape = query.shape.step(("only", chosen), only=chosen)
    return msgspec.structs.replace(query, shape=shape)


class Grouped:
    """Groups of rows, for `aggregate`."""

    def __init__(self, query: Query[Any], by: Sequence[Any], named: dict[str, Any]) -> None:
        self._query = query
        self._by = by
        self._named = named
        self._having: tuple[Condition, ...] = ()

    def having(self, *conditions: Condition | bool) -> Grouped:
        """Those groups alone that meet the conditions: ``count() > 1``."""
        made = Grouped(self._query, self._by, self._named)
        made._having = (*self._having, *(as_condition(each) for each in conditions))
        return made

    def aggregate(self, **named: Any) -> Query[dict[str, Any]]:
        """A row for each group: what it is grouped by, and these expressions."""
        keys = parts_named(self._query.shape.model, self._by, self._named)
        named_ones = parts_named(self._query.shape.model, (), named)
        query = selected(self._query, keys + named_ones, into=None, flat=False)
        shape = query.shape.step(("groups", len(keys)), groups=len(keys))
        query = msgspec.structs.replace(query, shape=shape)
        having = tuple(each.node for each in self._having)
        if having:
            values = tuple(value for each in self._having for value in each.values)
            shape = query.shape
            parts = shape.parts_from(having)
            taken = sum(node.size for node in having)
            shape = shape.step(("having", having), taken, having=parts)
            query = msgspec.structs.replace(query, shape=shape, bound=query.bound + values)
        return query


_LOCKS = {
    "update": "update",
    "share": "share",
    "no_key_update": "no key update",
    "key_share": "key share",
    "nowait": "update|nowait",
    "skip_locked": "update|skip locked",
}


def lock_words(mode: str, nowait: bool, skip_locked: bool) -> str:
    """What stands after FOR."""
    words = _LOCKS.get(mode)
    if words is None:
        raise QueryError(f"there is no lock {mode!r}; there are {', '.join(_LOCKS)}")
    if nowait and skip_locked:
        raise QueryError("a lock takes one of nowait and skip_locked")
    patience = "nowait" if nowait else "skip locked" if skip_locked else ""
    return f"{words}|{patience}" if patience and "|" not in words else words
