"""``User.org`` in a query: the way to the columns of another model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, combined, several
from turbostar.orm.expressions.columns import Column, column_of
from turbostar.orm.relations.relation import Relation

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["RelationPath", "RelationQuery"]


class RelationPath:
    """One relation after another: ``Post.author.org``.

    Its attributes are the columns and relations of the model at its end.
    """

    def __init__(self, relations: tuple[Relation, ...]) -> None:
        self.__turbostar_path__ = relations

    def __getattr__(self, name: str) -> Any:
        last = self.__turbostar_path__[-1]
        table = last.table
        field = table.fields.get(name)
        made: Any
        if field is not None:
            made = column_of(field, self.__turbostar_path__)
        elif name in table.relations:
            made = RelationPath((*self.__turbostar_path__, table.relations[name]))
        elif name in ("filter", "exclude", "order", "order_by", "limit", "only", "defer", "load"):
            made = getattr(RelationQuery(self, last.target.filter()), name)
        elif name.startswith("__"):
            raise AttributeError(name)
        else:
            raise table.unknown(name)
        self.__dict__[name] = made
        return made

    def key_columns(self) -> tuple[Column[Any], ...]:
        """The columns that tell which object it is."""
        last = self.__turbostar_path__[-1]
        if last.owns_key:
            before = self.__turbostar_path__[:-1]
            return tuple(column_of(field, before) for field in last.local)
        return tuple(column_of(field, self.__turbostar_path__) for field in last.table.key)

    def __eq__(self, other: object) -> Any:
        columns = self.key_columns()
        if other is None:
            if self.__turbostar_path__[-1].to_many:
                return ~self.is_not_null()
            return combined("and", [column.is_null() for column in columns])
        return combined("and", [a == b for a, b in zip(columns, self._key_of(other), strict=True)])

    def __ne__(self, other: object) -> Any:
        if other is None:
            return combined("and", [column.is_not_null() for column in self.key_columns()])
        return ~(self == other)

    __hash__ = object.__hash__

    def is_null(self) -> Condition:
        """There is none."""
        found: Condition = self == None  # noqa: E711
        return found

    def is_not_null(self) -> Condition:
        """There is one."""
        found: Condition = self != None  # noqa: E711
        return found

    def in_(self, options: Any) -> Condition:
        """One of these objects, keys, or rows of a query; None among them stands for no object."""
        columns = self.key_columns()
        query = hasattr(options, "__turbostar_subquery__")
        if query and len(columns) == 1:
            return columns[0].in_(options)
        if query:
            raise QueryError(
                f"{self!r} has a key of {len(columns)} columns, and in_ takes a query of one: say"
                " exists(...) of a query with outer(...)"
            )
        given = several(options)
        if self.__turbostar_path__[-1].to_many and any(option is None for option in given):
            rest = [option for option in given if option is not None]
            return combined("or", [self.in_(rest), self.is_null()])
        if len(columns) > 1 and given:
            return combined("or", [self == option for option in given])
        return columns[0].in_([self._key_of(option)[0] for option in given])

    def not_in(self, options: Any) -> Condition:
        """None of these."""
        return ~self.in_(options)

    def _key_of(self, other: Any) -> tuple[Any, ...]:
        last = self.__turbostar_path__[-1]
        if isinstance(other, last.target):
            names = [f.name for f in (last.remote if last.owns_key else last.table.key)]
            found = tuple(getattr(other, name) for name in names)
            if any(value is UNSET for value in found):
                raise QueryError(
                    f"{self!r}: {type(other).__name__} is not saved, and has no key yet"
                )
            return found
        if isinstance(other, RelationPath):
            return other.key_columns()
        if hasattr(type(other), "__turbostar_table__"):
            raise QueryError(
                f"{self!r} leads to {last.target.__name__}, not to {type(other).__name__}"
            )
        if isinstance(other, tuple):
            return other
        return (other,)

    def __repr__(self) -> str:
        first = self.__turbostar_path__[0].model.__name__
        return ".".join([first, *(relation.name for relation in self.__turbostar_path__)])


class RelationQuery:
    """A relation and what of it is wanted: ``User.posts.filter(Post.public == True)``."""

    def __init__(self, path: RelationPath, query: Query[Any]) -> None:
        self.path = path
        self.query = query

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.query, name)

        def narrowed(*args: Any, **named: Any) -> RelationQuery:
            return RelationQuery(self.path, method(*args, **named))

        return narrowed
