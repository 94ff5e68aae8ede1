"""What is known of a model's table."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from turbostar.orm.errors import ModelError, QueryError, UnknownField
from turbostar.orm.fields import Field

if TYPE_CHECKING:
    from turbostar.orm.relations.relation import Relation

__all__ = ["Table", "all_tables", "find_model", "register_model", "table_of"]


class Table:
    """A model's table: columns, keys and relations.

    Args:
        model: the class.
        name: in the database.
        schema: where it is, on PostgreSQL; None for the search path.
    """

    def __init__(self, model: Any, name: str, schema: str | None) -> None:
        self.model = model
        self.name = name
        self.schema = schema
        self.fields: dict[str, Field] = {}
        self.relations: dict[str, Relation] = {}
        self.key: tuple[Field, ...] = ()  # the fields of the primary key
        self.slots: tuple[str, ...] = ()  # attributes in the order of the Struct's fields
        self.indexes: tuple[Any, ...] = ()
        self.constraints: tuple[Any, ...] = ()
        self.made_for: Relation | None = None  # the many to many that this table was made for

    @property
    def written(self) -> list[Field]:
        """The fields that an INSERT may set, in their order."""
        return [field for field in self.fields.values() if field.generated is None]

    @property
    def computed(self) -> list[Field]:
        """The fields that the database computes from others."""
        return [field for field in self.fields.values() if field.generated is not None]

    def field(self, name: str) -> Field:
        """The field of this name; `QueryError` with a likely one otherwise."""
        found = self.fields.get(name)
        if found is None:
            raise self.unknown(name)
        return found

    def relation(self, name: str) -> Relation:
        """The relation of this name."""
        found = self.relations.get(name)
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> UnknownField:
        """The error for a name that is neither field nor relation."""
        names = [*self.fields, *self.relations]
        close = _close(name, names)
        hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(names)}"
        return UnknownField(f"{self.model.__name__} has no field {name!r}{hint}")

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self.model.__name__}>"


def _close(name: str, names: list[str]) -> list[str]:
    import difflib  # for an error's text alone

    return difflib.get_close_matches(name, names, 1)


_models: dict[str, list[weakref.ref[Any]]] = {}


def register_model(model: Any) -> None:
    """Makes a model known by its name to the relations of others."""
    known = _models.setdefault(model.__name__, [])
    known[:] = [each for each in known if each() is not None]
    known.append(weakref.ref(model))


def find_model(name: str, near: Any, what: str) -> Any:
    """The model of this name that is nearest to `near`: in its function, its module, anywhere."""
    module, _, bare = name.rpartition(".")
    found = [model for each in _models.get(bare, []) if (model := each()) is not None]
    if module:
        found = [model for model in found if model.__module__ == module]
    scope = near.__qualname__.rpartition(".")[0]
    ranked = [
        [m for m in found if m.__module__ == near.__module__ and _scope(m) == scope],
        [m for m in found if m.__module__ == near.__module__],
        found,
    ]
    for candidates in ranked:
        if candidates:
            if candidates is found and len({m.__module__ for m in found}) > 1:
                modules = " or ".join(sorted({f"'{m.__module__}.{bare}'" for m in found}))
                raise ModelError(f"{what}: there are several models {bare}; say {modules}")
            return candidates[-1]
    close = _close(bare, list(_models))
    hint = f"; did you mean {close[0]!r}?" if close else "; import its module first"
    raise ModelError(f"{what}: there is no model {name!r}{hint}")


def _scope(model: Any) -> str:
    return str(model.__qualname__.rpartition(".")[0])


def all_tables() -> list[Table]:
    """The tables of all models that are alive."""
    models = [model for known in _models.values() for each in known if (model := each())]
    return [model.__turbostar_table__ for model in models]


def table_of(model: Any) -> Table:
    """A model's table; `QueryError` for what is no model."""
    table = getattr(model, "__turbostar_table__", None)
    if isinstance(table, Table):
        return table
    name = getattr(model, "__name__", repr(model))
    raise QueryError(f"{name} is no model with a table")
