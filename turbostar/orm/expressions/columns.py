"""A column as an expression: ``User.age`` on the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from turbostar.orm.expressions.base import Condition, Expression
from turbostar.orm.expressions.nodes import Node, make, slot
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.types import BOOL

if TYPE_CHECKING:
    from turbostar.orm.fields import Field
    from turbostar.orm.relations.relation import Relation

__all__ = ["Column", "column_of"]

T = TypeVar("T")

_EXACT = frozenset([int, str, float, bytes, bool])


class Column(Expression[T], eq=False, frozen=True):
    """A column of a model, or of one that is reached by relations.

    The forms of the comparisons are made along with it.
    """

    field: Field = None  # type: ignore[assignment]
    path: tuple[Relation, ...] = ()
    exact: Any = None  # values of exactly this type need no second look
    eq: Node = None  # type: ignore[assignment]
    ne: Node = None  # type: ignore[assignment]
    lt: Node = None  # type: ignore[assignment]
    le: Node = None  # type: ignore[assignment]
    gt: Node = None  # type: ignore[assignment]
    ge: Node = None  # type: ignore[assignment]
    up: Ordering = None  # type: ignore[assignment]
    down: Ordering = None  # type: ignore[assignment]

    def asc(self) -> Ordering:
        return self.up

    def desc(self) -> Ordering:
        return self.down

    def __neg__(self) -> Ordering:
        return self.down

    def __eq__(self, other: T | Expression[Any] | None) -> Condition:  # type: ignore[override]
        if type(other) is self.exact:
            return Condition(self.eq, (other,))
        return Expression.__eq__(self, other)

    def __ne__(self, other: T | Expression[Any] | None) -> Condition:  # type: ignore[override]
        if type(other) is self.exact:
            return Condition(self.ne, (other,))
        return Expression.__ne__(self, other)

    def __lt__(self, other: T | Expression[Any]) -> Condition:
        if type(other) is self.exact:
            return Condition(self.lt, (other,))
        return Expression.__lt__(self, other)

    def __le__(self, other: T | Expression[Any]) -> Condition:
        if type(other) is self.exact:
            return Condition(self.le, (other,))
        return Expression.__le__(self, other)

    def __gt__(self, other: T | Expression[Any]) -> Condition:
        if type(other) is self.exact:
            return Condition(self.gt, (other,))
        return Expression.__gt__(self, other)

    def __ge__(self, other: T | Expression[Any]) -> Condition:
        if type(other) is self.exact:
            return Condition(self.ge, (other,))
        return Expression.__ge__(self, other)

    __hash__ = object.__hash__

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.field.name


def column_of(field: Field, path: tuple[Relation, ...] = ()) -> Column[Any]:
    """The expression for a field, reached from a model by the relations of `path`."""
    node = make("column", field, path, type=field.type)
    place = slot(field.type, str(field))

    def compared(operator: str) -> Node:
        return make("compare", node, operator, place, type=BOOL)

    python = field.type.python
    return Column(
        node,
        (),
        field,
        path,
        python if python in _EXACT else _Never,
        compared("="),
        compared("<>"),
        compared("<"),
        compared("<="),
        compared(">"),
        compared(">="),
        Ordering(make("order", node, "asc", "")),
        Ordering(make("order", node, "desc", "")),
    )


class _Never:
    """The type of no value."""
