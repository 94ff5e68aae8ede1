"""A relation on an instance: the objects that were loaded, or a clear error."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from turbostar.orm.errors import NotLoaded
from turbostar.orm.relations.relation import Relation

__all__ = ["RelationAttribute"]


class RelationAttribute:
    """Stands before the slot of the Struct, which msgspec reads by its place."""

    __slots__ = ("_get", "_set", "relation")

    def __init__(self, relation: Relation, member: Any) -> None:
        self.relation = relation
        self._get = member.__get__
        self._set = member.__set__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = self._get(instance)
        if value is UNSET:
            raise not_loaded(self.relation)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        self._set(instance, value)

    def peek(self, instance: Any) -> Any:
        """The value, or UNSET."""
        return self._get(instance)


def not_loaded(relation: Relation) -> NotLoaded:
    """The error of touching what was not loaded."""
    model, name = relation.model.__name__, relation.name
    return NotLoaded(
        f"{model}.{name} was not loaded; say .load({model}.{name}) in the query, "
        f"or await obj.fetch({model}.{name})"
    )
