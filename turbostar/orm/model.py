"""The base of all models."""

from __future__ import annotations

from collections.abc import AsyncIterable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, dataclass_transform

import msgspec
from msgspec import UNSET, UnsetType

from turbostar.orm import persistence
from turbostar.orm.errors import NotLoaded
from turbostar.orm.fields import col
from turbostar.orm.metaclass import ModelMeta
from turbostar.orm.query import Query
from turbostar.orm.scopes import ScopeOf, ScopeWith
from turbostar.orm.shapes import Shape
from turbostar.orm.starts import Starts
from turbostar.orm.writes import insert_values, kept_values

if TYPE_CHECKING:
    pass

__all__ = ["Model"]

S = TypeVar("S")

_set = msgspec.Struct.__setattr__
_copy: Any = msgspec.Struct.__copy__  # type: ignore[attr-defined]


# As that of the metaclass, for mypy looks at base classes first, and msgspec.Struct has another.
@dataclass_transform(kw_only_default=True, field_specifiers=(col,))
class Model(
    msgspec.Struct,  # first: what C looks for along `tp_base` is there
    Starts,
    metaclass=ModelMeta,
    omit_defaults=True,
    dict=True,
    weakref=True,
    eq=False,
):
    """A row of a table, and the table's queries.

    ``class User(Model, table="users")`` takes these words:

    Args:
        table: the table's name; left out by an abstract model.
        schema: where the table is, on PostgreSQL; SQLite has none, and leaves it out.
        abstract: columns and methods for other models, without a table.
        indexes: `Index` objects, for more than one column or for some rows only.
        constraints: `Unique` and `Check` objects.
    """

    _new: UnsetType | None = None  # UNSET of an object that has a row; None is left out of JSON

    __turbostar_database__: ClassVar[Any] = None
    __turbostar_lookups__: ClassVar[dict[str, Any]]
    __turbostar_writes__: ClassVar[dict[Any, Any]]
    __turbostar_values__: ClassVar[Any]
    __turbostar_kept__: ClassVar[Any]
    __turbostar_hooks__: ClassVar[frozenset[str]] = frozenset()
    __turbostar_set__: ClassVar[Any] = staticmethod(_set)

    @classmethod
    def __turbostar_defined__(cls) -> None:
        """Called once the class and its table are complete."""
        put = type.__setattr__
        put(cls, "__turbostar_lookups__", {})
        put(cls, "__turbostar_writes__", {})
        put(cls, "__turbostar_hooks__", frozenset(n for n in persistence.HOOKS if hasattr(cls, n)))
        scopes = {
            name: value
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if isinstance(value, ScopeOf | ScopeWith)
        }
        put(cls, "__turbostar_scopes__", scopes)
        values = insert_values(cls.__turbostar_table__)
        put(cls, "__turbostar_values__", staticmethod(values))
        put(cls, "__turbostar_kept__", staticmethod(kept_values(cls.__turbostar_table__)))
        put(cls, "__turbostar_all__", Query(Shape(model=cls)))
        scoped = any(each.default for each in scopes.values())
        put(cls, "__turbostar_query__", None if scoped else cls.__turbostar_all__)

    # One object

    @classmethod
    async def create(cls, **values: Any) -> Self:
        """A new object and its row."""
        made = persistence.made_of(cls, values)
        await persistence.insert(made)
        return made

    @classmethod
    def insert_many(
        cls,
        rows: Iterable[Any] | AsyncIterable[Any],
        *,
        on_conflict: Any = None,
        update: Any = None,
        ids: bool = True,
        using: Any = None,
    ) -> Coroutine[Any, Any, Any]:
        """Inserts many rows, all or none. Calls no hooks.

        Args:
            rows: objects, which get their ids, or dicts; more may come than fit into memory.
            on_conflict: the column, or columns, of a unique key: a row that is there already is
                updated.
            update: the columns that then take the new values (if not given, those that a dict
                has, and all of an object's; with ``()`` the row stays as it is), or a dict from
                names to expressions.
            ids: give the list of keys, in the order of the rows, with None for those that stayed
                as they were; without, only their count.
            using: the database.
        """
        from turbostar.orm.bulk import insert_many

        return insert_many(
            cls, rows, on_conflict=on_conflict, update=update, ids=ids, database=using
        )

    bulk_create = insert_many

    @classmethod
    def update_many(
        cls, objects: Iterable[Self], *fields: Any, using: Any = None
    ) -> Coroutine[Any, Any, int]:
        """Writes changes of many objects, all or none; how many there were. Calls no hooks.

        If the row of one is no longer there, that is `NotFound`.

        Args:
            objects: with a row each.
            fields: what is written; if none, of each object what was changed.
            using: the database.
        """
        from turbostar.orm.updates import update_many

        return update_many(cls, objects, fields, using)

    bulk_update = update_many

    @classmethod
    async def upsert(
        cls, *, on_conflict: Any, update: Any = None, using: Any = None, **values: Any
    ) -> Self:
        """A new row, or the one that has the same key, updated; see `insert_many`."""
        made = persistence.made_of(cls, values)
        if update is None:
            from turbostar.orm.bulk import target_of, updated_by

            updated = updated_by(cls, target_of(cls, on_conflict), values)
            update = [field.name for field in updated]
        await cls.insert_many([made], on_conflict=on_conflict, update=update, using=using)
        if made._new is UNSET:
            await made.refresh(using=using)
            return made
        names = [on_conflict] if not isinstance(on_conflict, list | tuple) else on_conflict
        found = cls.unscoped() if using is None else cls.unscoped().using(using)
        for item in names:
            name = item if isinstance(item, str) else item.name
            found = found.filter(**{name: getattr(made, name)})
        return await found.one()

    @classmethod
    async def get_or_create(
        cls, defaults: dict[str, Any] | None = None, *, using: Any = None, **lookups: Any
    ) -> tuple[Self, bool]:
        """The row with these values, and False; or a new one with them, and True."""
        return await persistence.get_or_create(cls, defaults or {}, lookups, using)

    @classmethod
    async def update_or_create(
        cls, defaults: dict[str, Any] | None = None, *, using: Any = None, **lookups: Any
    ) -> tuple[Self, bool]:
        """The row with these values, updated by `defaults`, and False; or a new one, and True."""
        found, made = await persistence.get_or_create(cls, defaults or {}, lookups, using)
        if not made and defaults:
            await found.update(using=using, **defaults)
        return found, made

    async def save(self, *, using: Any = None) -> Self:
        """Writes a new object as a row, or the changed columns of one that has its row."""
        await persistence.save(self, using)
        return self

    async def update(self, *, using: Any = None, **changes: Any) -> Self:
        """Sets columns and saves; a value may be an expression: ``age=User.age + 1``."""
        persistence.require_agreeing(type(self).__turbostar_table__, changes)
        for name, value in changes.items():
            setattr(self, name, value)
        await persistence.save(self, using)
        return self

    async def delete(self, *, using: Any = None) -> None:
        """Deletes the row."""
        await persistence.delete(self, using)

    async def refresh(self, *, using: Any = None) -> Self:
        """Reads the row again; changes not saved, and loaded relations, are forgotten."""
        await persistence.refresh(self, using)
        return self

    async def fetch(self, *relations: Any, using: Any = None) -> Self:
        """Loads relations of this object, and of its peers, if its query said `peers`."""
        from turbostar.orm.relations.load import fetch

        await fetch(self, relations, using)
        return self

    async def link(self, relation: Any, *others: Any, using: Any = None) -> None:
        """Adds objects to a relation many to many; those that are in it already stay."""
        from turbostar.orm.relations.between import link

        await link(self, relation, others, using)

    async def unlink(self, relation: Any, *others: Any, using: Any = None) -> None:
        """Takes objects out of a relation many to many; without any, all of them."""
        from turbostar.orm.relations.between import unlink

        await unlink(self, relation, others, using)

    @property
    def is_new(self) -> bool:
        """It has no row in the database yet."""
        return self._new is not UNSET

    @property
    def changed(self) -> frozenset[str]:
        """The fields that were set since the row was read or written."""
        return frozenset(self.__dict__.get("_changed", ()))

    def __setattr__(self, name: str, value: Any) -> None:
        table = type(self).__turbostar_table__
        field = table.fields.get(name)
        if field is not None:
            if field.foreign is not None and getattr(self, name) != value:
                _set(self, field.foreign.name, UNSET)  # it was another object
            if self._new is UNSET:
                persistence.note_change(self, table, name)
        elif name in table.relations:
            persistence.note_relation(self, table.relations[name], value)
        elif isinstance(held := getattr(type(self), name, None), property) and held.fset:
            held.fset(self, value)
            return
        elif not name.startswith("__"):
            raise table.unknown(name)
        _set(self, name, value)

    def __copy__(self) -> Self:
        made: Self = _copy(self)
        made.__dict__.update(_unsaved(self))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        state = _unsaved(self)
        made = msgspec.Struct.__reduce__(self)
        return (*made, state) if state else made  # type: ignore[return-value]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Names and values, for ``dict(user)``: those that JSON has, relations as objects.

        FastAPI, which knows no Structs, makes its JSON of this.
        """
        for name in type(self).__struct_fields__:
            try:
                value = getattr(self, name)
            except NotLoaded:
                continue
            if value is not UNSET and name != "_new":
                yield name, value

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        fields = type(self).__turbostar_table__.fields
        return all(getattr(self, name) == getattr(other, name) for name in fields)

    def __hash__(self) -> int:
        key = tuple(getattr(self, field.name) for field in type(self).__turbostar_table__.key)
        if UNSET in key:
            raise TypeError(
                f"a {type(self).__name__} without a key cannot be hashed; save it first"
            )
        return hash((type(self), key))

    def __repr__(self) -> str:
        shown = [
            f"{name}={value!r}"
            for name in type(self).__turbostar_table__.fields
            if (value := getattr(self, name)) is not UNSET
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in type(self).__turbostar_table__.fields]


def _unsaved(instance: Model) -> dict[str, Any]:
    """What a copy must know to be saved as the object would be."""
    state = instance.__dict__
    found: dict[str, Any] = {}
    if "_changed" in state:
        found["_changed"] = set(state["_changed"])
    if "_key" in state:
        found["_key"] = state["_key"]
    return found
