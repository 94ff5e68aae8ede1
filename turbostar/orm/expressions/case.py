"""CASE: one of several values, by conditions."""

from __future__ import annotations

from typing import Any

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, as_condition, as_expression
from turbostar.orm.expressions.nodes import make

__all__ = ["When", "case", "when"]


class When:
    """A condition, and the value where it holds."""

    def __init__(self, condition: Condition, then: Any) -> None:
        self.condition = condition
        self.then = then


def when(condition: Condition | bool, then: Any) -> When:
    """One arm of `case`."""
    return When(as_condition(condition), then)


def case(*whens: When, default: Any = None) -> Expression[Any]:
    """The value of the first arm whose condition holds, else `default`.

    ``case(when(User.age < 18, "minor"), default="adult")``
    """
    if not whens:
        raise QueryError("case takes at least one when(condition, value)")
    arms = [(each.condition, as_expression(each.then, cast=True)) for each in whens]
    type = next((then.node.type for _, then in arms if then.node.type is not None), None)
    nodes = tuple((condition.node, then.node) for condition, then in arms)
    values = tuple(v for condition, then in arms for v in (*condition.values, *then.values))
    last = None if default is None else as_expression(default, type, cast=True)
    form = make("case", nodes, None if last is None else last.node, type=type)
    return Expression(form, values + (() if last is None else last.values))
