"""The body of a model's class, read: what becomes a column, a relation, a field of the Struct."""

from __future__ import annotations

import copy
import itertools
import typing
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from turbostar.orm.annotations import Unresolved
from turbostar.orm.errors import ModelError
from turbostar.orm.fields import MISSING, Col, Spec
from turbostar.orm.relations.declared import Many, OptionalRef, Ref, RelationSpec
from turbostar.orm.types import ColumnType, nullable_of, type_of_annotation

__all__ = ["Declared", "Missing", "Needed", "declared_in"]


class Missing(msgspec.ValidationError, TypeError):
    """An object was made without a value for a column that needs one."""


class Needed:
    """Stands for the default of a column that has none."""

    def __init__(self, model: str, name: str) -> None:
        self.model = model
        self.name = name

    def __call__(self) -> Any:
        raise Missing(
            f"Object missing required field `{self.name}`: {self.model}.{self.name} has no default"
        )


class Declared:
    """One name of a model's body.

    Args:
        annotation: for the Struct.
        default: for the Struct.
    """

    def __init__(self, annotation: Any, default: Any) -> None:
        self.annotation = annotation
        self.default = default
        self.spec: Spec = _NOTHING
        self.type: ColumnType | None = None
        self.nullable = False
        self.relation: RelationSpec | None = None
        self.target: Any = None
        self.to_many = False
        self.names: tuple[str, ...] = ()


_NOTHING = Spec()


def declared_in(
    model: str, annotations: dict[str, Any], namespace: dict[str, Any]
) -> dict[str, Declared]:
    """What a class body declares, in its order; the key of an undeclared `fk` before it."""
    found: dict[str, Declared] = {}
    for name, annotation in annotations.items():
        given = namespace.get(name, MISSING)
        origin = typing.get_origin(annotation)
        if origin is Col:
            found[name] = _column(model, name, typing.get_args(annotation)[0], given)
        elif origin in (Ref, OptionalRef, Many):
            made = _relation(model, name, annotation, given)
            if made.relation is not None and made.relation.kind in ("fk", "one"):
                made.names = _key_names(name, made.relation)
                for key in made.names:
                    if key not in annotations:
                        found[key] = _key_column(made)
            found[name] = made
        else:
            raise ModelError(
                f"{model}.{name}: {_shown(annotation)} is no column; "
                f"write Col[{_shown(annotation)}], or ClassVar[...] for what is not in the table"
            )
    for made in found.values():
        if made.relation is None:
            continue
        for key in made.names:
            column = found.get(key)
            if column is None:
                continue  # declared by a base
            if made.relation.primary:
                column.spec.primary = True
            if key in annotations and column.spec.default is MISSING:
                # The object that it refers to may be given in its place.
                column.annotation, column.default = column.annotation | UnsetType, UNSET
    return found


def _shown(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)


def _column(model: str, name: str, annotation: Any, given: Any) -> Declared:
    if isinstance(given, RelationSpec):
        raise ModelError(f"{model}.{name}: a relation is annotated with Ref, OptionalRef or Many")
    if isinstance(annotation, Unresolved):
        raise ModelError(f"{model}.{name}: there is no name {annotation.name!r}")
    spec = given if isinstance(given, Spec) else Spec(default=given)
    if spec.default is None and spec.primary:
        spec.default = MISSING
    bare, nullable = nullable_of(annotation)
    try:
        kind = type_of_annotation(
            bare, json=bool(spec.json), precision=spec.precision, scale=spec.scale
        )
    except TypeError as exc:
        raise ModelError(f"{model}.{name}: {exc}") from None
    bare = _zoned(bare, kind)
    made = Declared(bare | None if nullable else bare, None)
    made.spec, made.type, made.nullable = spec, kind, nullable
    database = (
        spec.server_default is not None
        or spec.generated is not None
        or hasattr(spec.default, "node")
        or (
            spec.primary
            and kind.kind == "int"
            and spec.identity is not False
            and spec.default is MISSING
            and spec.default_factory is None
        )
    )
    if database:
        made.annotation = made.annotation | UnsetType
    made.default = _default(model, name, spec, database)
    return made


#: Whether a value has a zone, as its column needs it.
_ZONES = {"datetime": True, "time": False}


def _zoned(annotation: Any, type: ColumnType) -> Any:
    """The annotation by which msgspec refuses what the column would, where input is decoded."""
    zone = _ZONES.get(type.item.kind if type.item is not None else type.kind)
    if zone is None or type.kind == "enum":
        return annotation
    given = getattr(annotation, "__metadata__", ())
    if any(isinstance(each, msgspec.Meta) and each.tz is not None for each in given):
        return annotation
    if type.kind != "array":
        return Annotated[annotation, msgspec.Meta(tz=zone)]
    if typing.get_origin(annotation) is not list:  # a name for one
        return annotation
    (item,) = typing.get_args(annotation)
    return list[Annotated[item, msgspec.Meta(tz=zone)]]  # type: ignore[valid-type]


def _default(model: str, name: str, spec: Spec, database: bool) -> Any:
    if database:
        return UNSET
    if spec.default_factory is not None:
        return msgspec.field(default_factory=_Called(spec.default_factory))
    if spec.default is MISSING:
        return msgspec.field(default_factory=Needed(model, name))
    if isinstance(spec.default, list | dict | set | bytearray):
        return msgspec.field(default_factory=_Copied(spec.default))
    # A factory, for msgspec leaves out of JSON what is a plain default.
    return msgspec.field(default_factory=itertools.repeat(spec.default).__next__)


class _Called:
    """A factory of the user's: never ``list`` itself, for msgspec leaves out its empty ones."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def __call__(self) -> Any:
        return self._factory()


class _Copied:
    """A new copy of a default that could be changed."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self) -> Any:
        return copy.deepcopy(self._value)


def _relation(model: str, name: str, annotation: Any, given: Any) -> Declared:
    origin = typing.get_origin(annotation)
    if not isinstance(given, RelationSpec):
        word = 'many() or reverse("...")' if origin is Many else "fk() or one()"
        raise ModelError(f"{model}.{name}: say {name}: {_shown(annotation)} = {word}")
    target, nullable = _target(typing.get_args(annotation)[0])
    to_many = origin is Many
    if to_many != (given.kind == "many") and given.kind != "reverse":
        word = "Many" if given.kind == "many" else "Ref or OptionalRef"
        raise ModelError(f"{model}.{name}: {given.kind}() is annotated with {word}[...]")
    made = Declared(None | UnsetType, UNSET)
    made.relation, made.target, made.to_many = given, target, to_many
    made.nullable = nullable or origin is OptionalRef
    return made


def _target(annotation: Any) -> tuple[Any, bool]:
    if isinstance(annotation, Unresolved):
        return annotation, annotation.optional
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        names = [part.strip() for part in annotation.split("|")]
        left = [name for name in names if name != "None"]
        return left[0], len(left) < len(names)
    inner, nullable = nullable_of(annotation)
    if isinstance(inner, typing.ForwardRef):
        inner = inner.__forward_arg__
    return inner, nullable


def _key_names(name: str, spec: RelationSpec) -> tuple[str, ...]:
    if spec.columns is None:
        return (f"{name}_id",)
    return (spec.columns,) if isinstance(spec.columns, str) else tuple(spec.columns)


def _key_column(relation: Declared) -> Declared:
    """The column of a foreign key that was not declared; its type is the target's."""
    made = Declared(Any, UNSET)
    made.spec = Spec(default=MISSING)
    made.nullable = relation.nullable
    table = getattr(relation.target, "__turbostar_table__", None)
    to = relation.relation.to if relation.relation is not None else None
    if table is not None and to is None and len(table.key) == 1:
        made.type = table.key[0].type
        python = made.type.python
        made.annotation = python | None | UnsetType if made.nullable else python | UnsetType
    return made
