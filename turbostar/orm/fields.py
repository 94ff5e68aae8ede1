"""Columns as a model declares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec

from turbostar.orm.types import ColumnType

if TYPE_CHECKING:
    from turbostar.orm.expressions.base import Condition, Expression
    from turbostar.orm.expressions.columns import Column

__all__ = ["Check", "Col", "Field", "Index", "Spec", "Unique", "col", "pk"]

T = TypeVar("T")


class Col(Generic[T]):
    """The annotation of a column: ``age: Col[int]``, ``note: Col[str | None]``.

    On the class it is an expression, on an instance its value.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Column[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: T) -> None: ...


class _Missing:
    def __repr__(self) -> str:
        return "<none>"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()


class Spec(msgspec.Struct, eq=False, kw_only=True):
    """What `col` and `pk` were told; with the annotation it becomes a `Field`."""

    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    server_default: Any = None
    primary: bool = False
    identity: bool | None = None
    unique: bool = False
    index: bool | str = False
    check: Any = None
    generated: Any = None
    on_update: Callable[[], Any] | None = None
    name: str | None = None
    type: str | None = None
    json: bool = False
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


def col(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    server_default: Any = None,
    primary_key: bool = False,
    unique: bool = False,
    index: bool | str = False,
    check: str | Condition | None = None,
    generated: str | Expression[Any] | None = None,
    on_update: Callable[[], Any] | None = None,
    name: str | None = None,
    type: str | None = None,
    json: bool = False,
    length: int | None = None,
    precision: int | None = None,
    scale: int | None = None,
) -> Any:
    """A column, where its annotation does not say all.

    Args:
        default: its value if none is given. An expression, such as ``now()``, is left to the
            database, and comes back with the insert.
        default_factory: called for each object that is made without a value.
        server_default: as an expression as `default`, or SQL text.
        primary_key: part of the key. Two columns of the kind make a composite key.
        unique: no two rows have the same value; NULL excepted.
        index: an index; a text names its method on PostgreSQL (``"gin"``).
        check: a condition on each row, as SQL text.
        generated: SQL text from which the database computes the value; it is never written.
        on_update: called for the value each time that `save` or `update` writes other columns.
        name: the column's name in the database, if it is not the field's.
        type: its type in the database, as text, if it is not the usual one.
        json: keep the value as JSON, whatever its type.
        length: the most characters of a text.
        precision: digits of a decimal.
        scale: of them, those behind the point.
    """
    if default is not MISSING and (default_factory is not None or server_default is not None):
        raise TypeError("col takes one of default, default_factory and server_default")
    return Spec(
        default=default,
        default_factory=default_factory,
        server_default=server_default,
        primary=primary_key,
        unique=unique,
        index=index,
        check=check,
        generated=generated,
        on_update=on_update,
        name=name,
        type=type,
        json=json,
        length=length,
        precision=precision,
        scale=scale,
    )


def pk(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    server_default: Any = None,
    auto: bool | None = None,
    name: str | None = None,
    type: str | None = None,
) -> Any:
    """The primary key. An ``int`` without a default is numbered by the database.

    Args:
        default: as for `col`.
        default_factory: as for `col`: ``pk(default_factory=uuid4)``.
        server_default: as for `col`.
        auto: False for an ``int`` that the program gives.
        name: the column's name in the database.
        type: its type in the database.
    """
    return Spec(
        default=default,
        default_factory=default_factory,
        server_default=server_default,
        identity=auto,
        primary=True,
        name=name,
        type=type,
    )


class Field:
    """A column of one model, ready for use.

    Args:
        model: the class.
        name: the attribute.
        column: the name in the database.
        type: what it holds.
        nullable: whether it may be NULL.
        spec: what else it was told.
    """

    __slots__ = (
        "_known",
        "auto",
        "column",
        "foreign",
        "model",
        "name",
        "nullable",
        "position",
        "spec",
    )  # fmt: skip

    def __init__(
        self, model: Any, name: str, type: ColumnType | None, nullable: bool, spec: Spec
    ) -> None:
        self.model = model
        self.name = name
        self.column: str = spec.name or name
        self._known = type
        self.nullable = nullable
        self.spec = spec
        self.position = 0
        self.foreign: Any = None  # the relation whose key it holds
        integer = type is not None and type.kind == "int"
        self.auto = bool(
            spec.primary
            and integer
            and spec.identity is not False
            and spec.default is MISSING
            and spec.default_factory is None
            and spec.server_default is None
        )

    @property
    def type(self) -> ColumnType:
        """What it holds; that of a foreign key is its target's, unless it was declared."""
        if self._known is None:
            target = self.foreign.remote[self.foreign.local.index(self)]
            self._known = target.type
        return self._known

    @property
    def primary(self) -> bool:
        """Part of the primary key."""
        return bool(self.spec.primary)

    @property
    def by_database(self) -> bool:
        """The database fills it in if no value is given."""
        return self.auto or self.server_default is not None or self.generated is not None

    @property
    def server_default(self) -> Any:
        """The expression or SQL text of its default in the database, or None."""
        if self.spec.server_default is not None:
            return self.spec.server_default
        default = self.spec.default
        return default if hasattr(default, "node") else None

    @property
    def generated(self) -> Any:
        """What the database computes it from, or None."""
        return self.spec.generated

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.name}"

    def __repr__(self) -> str:
        return f"<Field {self}>"


class Index:
    """An index over several columns, or a partial one.

    Args:
        columns: names of fields; ``-name`` for a descending one.
        where: SQL text or a condition that a row must meet to be in the index.
        unique: no two rows of the index have the same values.
        name: its name; made of table and columns if not given.
        using: its method on PostgreSQL, such as ``"gin"``.
    """

    def __init__(
        self,
        *columns: str,
        where: Any = None,
        unique: bool = False,
        name: str | None = None,
        using: str | None = None,
    ) -> None:
        self.columns: Sequence[str] = columns
        self.where = where
        self.unique = unique
        self.name = name
        self.using = using


class Unique:
    """A unique constraint over several columns."""

    def __init__(self, *columns: str, name: str | None = None) -> None:
        self.columns: Sequence[str] = columns
        self.name = name


class Check:
    """A check constraint: SQL text, or a function of the model that gives a condition.

    ``Check(lambda m: m.low <= m.high, name="ordered")``
    """

    def __init__(self, condition: str | Callable[[Any], Any], *, name: str | None = None) -> None:
        self.condition = condition
        self.name = name
