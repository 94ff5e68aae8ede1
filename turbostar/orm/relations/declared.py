"""Relations as a model declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

import msgspec

__all__ = ["Many", "One", "OptionalRef", "Ref", "RelationSpec", "fk", "many", "one", "reverse"]

T = TypeVar("T")

Action: TypeAlias = Literal["cascade", "restrict", "set null", "set default", "no action"]


class Ref(Generic[T]):
    """The annotation of a foreign key: ``org: Ref["Org"] = fk()``.

    On the class it leads to the columns of the other model (``User.org.name``), on an instance it
    is the other object, if it was loaded.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> type[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: T) -> None: ...


class OptionalRef(Generic[T]):
    """The annotation of a foreign key that may be NULL, and of the way back of a one to one."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> type[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T | None: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: T | None) -> None: ...


#: The way back of a one to one: ``profile: One["Profile"] = reverse("user")``.
One = OptionalRef


class Many(Generic[T]):
    """The annotation of a relation to many: ``posts: Many["Post"] = reverse("author")``."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> type[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> list[T]: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: list[T]) -> None: ...


class RelationSpec(msgspec.Struct, eq=False):
    """What `fk`, `one`, `reverse` and `many` were told."""

    kind: str
    on_delete: Action = "no action"
    on_update: Action = "no action"
    columns: str | tuple[str, ...] | None = None
    to: str | tuple[str, ...] | None = None
    index: bool = False
    primary: bool = False
    back: str = ""
    through: Any = None
    near: str | None = None
    far: str | None = None
    table: str | None = None


def fk(
    *,
    on_delete: Action = "no action",
    on_update: Action = "no action",
    column: str | tuple[str, ...] | None = None,
    to: str | tuple[str, ...] | None = None,
    index: bool = True,
    primary_key: bool = False,
) -> Any:
    """A foreign key. Its column is a field of its own, ``<name>_id`` if nothing else is said.

    Declare that field (``org_id: Col[int]``) to have it known to type checkers.

    Args:
        on_delete: what happens to this row when the other one goes.
        on_update: what happens when the other one's key changes.
        column: the field, or the fields, that hold the key.
        to: the other model's field, or fields, if it is not its primary key.
        index: an index on the column.
        primary_key: it is (part of) this model's key.
    """
    return RelationSpec(
        "fk",
        on_delete=on_delete,
        on_update=on_update,
        columns=column,
        to=to,
        index=index,
        primary=primary_key,
    )


def one(
    *,
    on_delete: Action = "no action",
    on_update: Action = "no action",
    column: str | tuple[str, ...] | None = None,
    to: str | tuple[str, ...] | None = None,
    primary_key: bool = False,
) -> Any:
    """A foreign key that no two rows share: one to one. The arguments are those of `fk`."""
    return RelationSpec(
        "one",
        on_delete=on_delete,
        on_update=on_update,
        columns=column,
        to=to,
        primary=primary_key,
    )


def reverse(name: str) -> Any:
    """The way back of another model's `fk`, `one` or `many`, which has this name there."""
    return RelationSpec("reverse", back=name)


def many(
    *,
    through: Any = None,
    near: str | None = None,
    far: str | None = None,
    table: str | None = None,
) -> Any:
    """Many to many.

    Args:
        through: the model of the table between (or its name), with a foreign key to each side;
            without one, a table of the two keys is made.
        near: that model's foreign key to this one, if there are several.
        far: that model's foreign key to the other one, if there are several.
        table: the name of the table that is made.
    """
    return RelationSpec("many", through=through, near=near, far=far, table=table)
