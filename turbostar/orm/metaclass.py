"""Makes models: Structs whose class attributes are expressions.

Each model has a metaclass of its own, which carries its columns as properties: ``User.age`` finds
them first, while ``user.age`` never sees them and stays msgspec's slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, dataclass_transform

import msgspec
from msgspec import UNSET, StructMeta

from turbostar.orm.annotations import annotations_in, caller_names
from turbostar.orm.declarations import Declared, declared_in
from turbostar.orm.errors import ModelError
from turbostar.orm.expressions.columns import column_of
from turbostar.orm.fields import Field, col
from turbostar.orm.other_names import instead_of
from turbostar.orm.relations.attribute import RelationAttribute
from turbostar.orm.relations.paths import RelationPath
from turbostar.orm.relations.relation import Relation
from turbostar.orm.table import Table, register_model

__all__ = ["ModelMeta", "loaded"]

_FIXED = ("eq", "order", "kw_only", "omit_defaults", "dict", "weakref", "array_like", "frozen")


@dataclass_transform(kw_only_default=True, field_specifiers=(col,))
class ModelMeta(StructMeta):
    """The metaclass of all models; see `turbostar.orm.Model` for what a class may say."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        table: str | None = None,
        schema: str | None = None,
        abstract: bool = False,
        indexes: tuple[Any, ...] = (),
        constraints: tuple[Any, ...] = (),
        **config: Any,
    ) -> Any:
        if not any(isinstance(base, ModelMeta) for base in bases):
            return super().__new__(mcs, name, bases, namespace, **config)
        for word in _FIXED:
            if word in config:
                raise ModelError(f"{name}: a model has no {word}=; it is the same for all of them")
        declared = _collected(name, bases, namespace)
        if table is None or abstract:
            if table is not None:
                raise ModelError(f"{name}: an abstract model has no table; leave out one of both")
            if not abstract:
                raise ModelError(f'{name}: say class {name}(Model, table="..."), or abstract=True')
            cls = StructMeta.__new__(mcs, name, bases, namespace, **config)
            for word in declared:
                type.__setattr__(cls, word, _OfSubclasses(word))
            type.__setattr__(cls, "__turbostar_declared__", declared)
            type.__setattr__(cls, "__turbostar_extras__", (tuple(indexes), tuple(constraints)))
            return cls
        return _concrete(mcs, name, bases, namespace, declared, table, schema, config, indexes,
                         constraints)  # fmt: skip

    def __init__(cls, *args: Any, **config: Any) -> None:
        pass

    if not TYPE_CHECKING:  # type checkers know what there is

        def __getattr__(cls, name: str) -> Any:
            for base in cls.__mro__:
                if isinstance(held := base.__dict__.get(name), _OfSubclasses):
                    held.__get__(None, cls)  # raises
            raise AttributeError(
                f"type object {cls.__name__!r} has no attribute {name!r}"
                + instead_of(cls.__name__, name),
                name=name,
                obj=cls,
            )

    @property
    def __turbostar_sql__(cls) -> dict[str, str]:
        """The statements for single rows, as the model's database has them."""
        from turbostar.orm.binding import database_of
        from turbostar.orm.writes import writes_of

        return writes_of(cls, database_of(cls).dialect).shown()


class _OfSubclasses:
    """A column of an abstract model, which only its subclasses have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> NoReturn:
        raise AttributeError(f"{owner.__name__} is abstract: its subclasses have {self._name!r}")


def _collected(name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = {}
    for base in reversed(bases):
        if "__turbostar_table__" in vars(base):
            raise ModelError(
                f"{name}: {base.__name__} has a table of its own; put what both share into a class "
                "with abstract=True"
            )
        for cls in reversed(base.__mro__):
            declared |= vars(cls).get("__turbostar_declared__", {})
    annotations = annotations_in(name, namespace, caller_names(2))
    own = declared_in(name, annotations, namespace)
    for each in annotations:
        namespace.pop(each, None)
    namespace.pop("__annotate_func__", None)
    namespace.pop("__annotate__", None)
    namespace["__annotations__"] = {}
    return declared | own


def _concrete(
    mcs: type,
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    declared: dict[str, Declared],
    table_name: str,
    schema: str | None,
    config: dict[str, Any],
    indexes: tuple[Any, ...],
    constraints: tuple[Any, ...],
) -> Any:
    if "\0" in table_name or not table_name:
        raise ModelError(f"{name}: {table_name!r} is no name of a table")
    for word in declared:
        if word in _NEEDED:
            raise ModelError(
                f"{name}.{word}: the name is taken by Model.{word}; call the field {word}_ and say "
                f'col(name="{word}")'
            )
    for word, each in declared.items():
        namespace["__annotations__"][word] = each.annotation
        namespace[word] = each.default
    expressions: dict[str, _Expressions] = {word: _Expressions() for word in declared}
    own = type(f"{name}Meta", (mcs,), {})
    cls: Any = StructMeta.__new__(own, name, bases, namespace, **config)
    table = Table(cls, table_name, schema)
    table.slots = StructMeta.__struct_fields__.__get__(cls)  # type: ignore[attr-defined]
    _fill(table, declared, expressions)
    inherited = [vars(base).get("__turbostar_extras__") for base in cls.__mro__]
    for extras in filter(None, inherited):
        indexes, constraints = (*extras[0], *indexes), (*extras[1], *constraints)
    table.indexes, table.constraints = tuple(indexes), tuple(constraints)
    for word, made in expressions.items():
        setattr(own, word, property(made.__getitem__))
    held = next(base for base in cls.__mro__ if "filter" in vars(base))
    if held.__module__ == "turbostar.orm.starts":  # and not a class's own
        own.filter = property(_Filter().__getitem__)  # type: ignore[attr-defined]
    for word in _SHOWN:
        setattr(own, word, property(_without_state(word)))
    type.__setattr__(cls, "__turbostar_table__", table)
    cls.__turbostar_defined__()
    register_model(cls)
    return cls


def _fill(
    table: Table, declared: dict[str, Declared], expressions: dict[str, _Expressions]
) -> None:
    cls = table.model
    for word, each in declared.items():
        if each.relation is not None:
            relation = Relation(
                cls, word, each.target, each.relation,
                to_many=each.to_many, nullable=each.nullable,
            )  # fmt: skip
            relation.names = each.names
            table.relations[word] = relation
            expressions[word].make = lambda relation=relation: RelationPath((relation,))
            member = cls.__dict__[word]
            type.__setattr__(cls, word, RelationAttribute(relation, member))
        else:
            field = Field(cls, word, each.type, each.nullable, each.spec)
            field.position = len(table.fields)
            table.fields[word] = field
            expressions[word].make = lambda field=field: column_of(field)
    for relation in table.relations.values():
        for name in relation.names:
            table.fields[name].foreign = relation
    key = table.key = tuple(field for field in table.fields.values() if field.primary)
    if len(key) > 1:
        for field in key:
            field.auto = False
    if not key:
        raise ModelError(f"{cls.__name__} has no primary key: say id: Col[int] = pk()")


class _Expressions(dict[Any, Any]):
    """A column's expression, by class; made when it is first asked for."""

    make: Any

    def __missing__(self, cls: Any) -> Any:
        made = self[cls] = self.make()
        return made


class _Filter(dict[Any, Any]):
    """``User.filter``: the method of the query that all of a model's begin with, by class."""

    def __missing__(self, cls: Any) -> Any:
        made = self[cls] = cls.all().filter
        return made


#: What a model is used by. A column may be called as another method of the class, such as `order`:
#: `Model.all` still leads to it.
_NEEDED = frozenset(
    ["all", "create", "delete", "fetch", "filter", "get", "get_or_none", "insert_many", "link",
     "refresh", "save", "unlink", "unscoped", "update", "update_many", "changed", "is_new", "_new"]
)  # fmt: skip

_SHOWN = ("__struct_fields__", "__struct_encode_fields__", "__struct_defaults__")


def _without_state(word: str) -> Any:
    """What msgspec's schema and inspection see of a model: its columns, and which are needed."""

    def shown(cls: Any) -> tuple[Any, ...]:
        values = getattr(StructMeta, word).__get__(cls)
        if word != "__struct_defaults__":
            return tuple(value for value in values if value != "_new")
        return tuple(msgspec.NODEFAULT if _is_needed(value) else value for value in values[1:])

    return shown


def _is_needed(default: Any) -> bool:
    from turbostar.orm.declarations import Needed

    return isinstance(getattr(default, "factory", None), Needed)


def loaded(instance: Any) -> bool:
    """The object stands for a row that is in the database."""
    return instance._new is UNSET
