"""Window functions: a value for each row, from the rows around it."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Expression
from turbostar.orm.expressions.functions import function
from turbostar.orm.expressions.nodes import make
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.types import INT, ColumnType

__all__ = ["dense_rank", "first_value", "lag", "last_value", "lead", "ntile", "rank",
           "row_number", "window"]  # fmt: skip

T = TypeVar("T")

_EDGE = r"(unbounded (preceding|following)|current row|\d+ (preceding|following))"
_FRAME = re.compile(rf"(rows|range|groups) ({_EDGE}|between {_EDGE} and {_EDGE})", re.IGNORECASE)


def window(
    of: Expression[Any], *, partition: Any = (), order: Any = (), frame: str | None = None
) -> Expression[Any]:
    """``of OVER (PARTITION BY … ORDER BY …)``.

    Args:
        of: an aggregate, or one of the functions of this module.
        partition: an expression, or several: rows that agree in them are looked at together.
        order: an expression, or several.
        frame: such as ``"rows between 2 preceding and current row"``.
    """
    if frame is not None and _FRAME.fullmatch(frame) is None:
        raise QueryError(f"{frame!r} is no frame: say 'rows between 2 preceding and current row'")
    parts = [_one(each) for each in _several(partition)]
    ways = [_ordering(each) for each in _several(order)]
    form = make(
        "window",
        of.node,
        tuple(each.node for each in parts),
        tuple(each.node for each in ways),
        frame.lower() if frame is not None else None,
        type=of.node.type,
    )
    values = of.values
    for each in (*parts, *ways):
        values += each.values
    return Expression(form, values)


def _several(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def _one(given: Any) -> Any:
    if hasattr(given, "node"):
        return given
    if not hasattr(given, "key_columns"):
        raise QueryError(f"a window takes columns, such as -User.age, not {given!r}")
    return given.key_columns()[0]


def _ordering(given: Any) -> Ordering:
    found = given if isinstance(given, Ordering) else _one(given).asc()
    assert isinstance(found, Ordering)
    return found


class WindowFunction(Expression[T], Generic[T], eq=False, frozen=True):
    """A function that needs a window: say ``.over(...)``."""

    def over(
        self, *, partition: Any = (), order: Any = (), frame: str | None = None
    ) -> Expression[T]:
        """The window; see `window`."""
        return window(self, partition=partition, order=order, frame=frame)


def _called(name: str, *args: Any, type: ColumnType | None) -> WindowFunction[Any]:
    made = function(name, *args, type=type)
    return WindowFunction(made.node, made.values)


def row_number() -> WindowFunction[int]:
    """1, 2, 3 and so on."""
    return _called("row_number", type=INT)


def rank() -> WindowFunction[int]:
    """The place, with gaps after equals."""
    return _called("rank", type=INT)


def dense_rank() -> WindowFunction[int]:
    """The place, without gaps."""
    return _called("dense_rank", type=INT)


def ntile(parts: int) -> WindowFunction[int]:
    """Which of so many parts of about equal size."""
    return WindowFunction(make("call", "ntile", (make("number", parts),), type=INT))


def lag(of: Any, rows: int = 1) -> WindowFunction[Any]:
    """The value so many rows before."""
    return _shifted("lag", of, rows)


def lead(of: Any, rows: int = 1) -> WindowFunction[Any]:
    """The value so many rows after."""
    return _shifted("lead", of, rows)


def _shifted(name: str, of: Any, rows: int) -> WindowFunction[Any]:
    made = _one(of)
    form = make("call", name, (made.node, make("number", rows)), type=made.node.type)
    return WindowFunction(form, made.values)


def first_value(of: Any) -> WindowFunction[Any]:
    """The first of the frame."""
    return _called("first_value", of, type=_one(of).node.type)


def last_value(of: Any) -> WindowFunction[Any]:
    """The last of the frame."""
    return _called("last_value", of, type=_one(of).node.type)
