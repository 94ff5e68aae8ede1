"""The keyword form of conditions: ``age__gte=18``, ``org__name="x"``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression
from turbostar.orm.expressions.columns import Column
from turbostar.orm.expressions.functions import PARTS, date_part
from turbostar.orm.expressions.nodes import make
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.relations.paths import RelationPath
from turbostar.orm.shapes import Shape

__all__ = ["LOOKUPS", "conditions_of", "ordering_of", "resolved"]

LOOKUPS: dict[str, Callable[[Any, Any], Condition]] = {
    "exact": lambda left, value: left == value,
    "ne": lambda left, value: left != value,
    "lt": lambda left, value: left < value,
    "lte": lambda left, value: left <= value,
    "gt": lambda left, value: left > value,
    "gte": lambda left, value: left >= value,
    "in": lambda left, value: left.in_(value),
    "not_in": lambda left, value: left.not_in(value),
    "between": lambda left, value: left.between(*value),
    "range": lambda left, value: left.between(*value),
    "isnull": lambda left, value: _is_null(left, value),
    "like": lambda left, value: left.like(value),
    "ilike": lambda left, value: left.ilike(value),
    "contains": lambda left, value: left.contains(value),
    "icontains": lambda left, value: left.icontains(value),
    "startswith": lambda left, value: left.startswith(value),
    "istartswith": lambda left, value: left.istartswith(value),
    "endswith": lambda left, value: left.endswith(value),
    "iendswith": lambda left, value: left.iendswith(value),
    "iexact": lambda left, value: left.iexact(value),
}

#: So many look-ups are kept for each model.
KEPT = 1_000


def _is_null(left: Any, value: Any) -> Condition:
    if not isinstance(value, bool):  # "false" of a query string would be taken as true
        raise QueryError(f"isnull takes True or False, not {value!r}")
    found: Condition = left.is_null() if value else left.is_not_null()
    return found


_Build = Callable[[Any], Condition]


def conditions_of(model: Any, lookups: dict[str, Any]) -> list[Condition]:
    """The conditions that keywords stand for."""
    known: dict[str, _Build] = model.__turbostar_lookups__
    found = []
    for key, value in lookups.items():
        build = known.get(key)
        if build is None:
            build = _builder(model, key)
            if len(known) >= KEPT:  # keys of JSON in look-ups may come from anywhere
                known.clear()
            known[key] = build
        found.append(build(value))
    return found


def resolved(model: Any, path: str) -> Any:
    """The column or relation for ``org__name`` or ``org.name``."""
    left, rest = _walk(model, path.replace(".", "__").split("__"))
    if rest:
        raise model.__turbostar_table__.unknown(path)
    return left


def _walk(model: Any, words: list[str]) -> tuple[Any, list[str]]:
    table = model.__turbostar_table__
    if words[0] == "pk" and len(table.key) == 1 and "pk" not in table.fields:
        words = [table.key[0].name, *words[1:]]
    if words[0] not in table.fields and words[0] not in table.relations:
        raise table.unknown(words[0])
    left = getattr(model, words[0])
    for index, word in enumerate(words[1:], 1):
        if not isinstance(left, RelationPath):
            return left, words[index:]
        last = left.__turbostar_path__[-1].table
        if word not in last.fields and word not in last.relations:
            if word in LOOKUPS:
                return left, words[index:]
            raise last.unknown(word)
        left = getattr(left, word)
    return left, []


def _builder(model: Any, key: str) -> _Build:
    left, rest = _walk(model, key.split("__"))
    *parts, word = rest or ["exact"]
    if word not in LOOKUPS:
        parts, word = [*parts, word], "exact"
    for part in parts:
        left = _part(left, part, key)
    compare = LOOKUPS[word]
    if isinstance(left, RelationPath) and word not in ("exact", "ne", "in", "isnull", "not_in"):
        raise QueryError(f"{key}: {left!r} is a relation; name one of its columns")
    return lambda value: compare(left, value)


def _part(left: Any, part: str, key: str) -> Any:
    kind = left.node.type.kind if not isinstance(left, RelationPath) and left.node.type else ""
    if kind == "json":
        return left[int(part) if part.isdecimal() else part]
    if kind in ("date", "datetime", "time") and part in PARTS:
        return date_part(part, left)
    words = ", ".join(sorted(LOOKUPS))
    raise QueryError(f"{key}: there is no look-up {part!r}; there are {words}")


def ordering_of(shape: Shape, item: Any) -> Ordering:
    """The ordering that `order` was given: a column, ``-column``, or their names.

    A name is that of a selected expression first, then that of a field of the model.
    """
    if isinstance(item, Ordering):
        return item
    if isinstance(item, Column):
        return item.up
    if isinstance(item, str):
        name = item.removeprefix("-")
        if shape.columns is not None and name in shape.names:
            node = shape.columns[shape.names.index(name)][0]
            made: Ordering = Expression(make("output", name, type=node.type)).asc()
        else:
            made = ordering_of(shape, resolved(shape.model, name))
        return made.reversed() if name != item else made
    if isinstance(item, RelationPath):
        return item.key_columns()[0].up
    if hasattr(item, "node"):
        up: Ordering = item.asc()
        return up
    raise QueryError(f"order takes columns, expressions or names, not {item!r}")
