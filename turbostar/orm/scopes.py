"""Queries that a model gives a name: ``User.active``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from turbostar.orm.query import Query

__all__ = ["ScopeOf", "ScopeWith", "scope", "scope_with"]

P = ParamSpec("P")
M = TypeVar("M")


class ScopeOf:
    """A named query without arguments."""

    def __init__(self, function: Callable[[Any], Any], default: bool) -> None:
        self.function = function
        self.default = default

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type[M]) -> Query[M]: ...

    else:

        def __get__(self, instance, owner):
            return self.on(owner.filter())

    def on(self, query: Any) -> Any:
        """The scope, applied to a query."""
        return self.function(query)


class ScopeWith(Generic[P]):
    """A named query with arguments."""

    default = False

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type[M]) -> Callable[P, Query[M]]: ...

    else:

        def __get__(self, instance, owner):
            return self.on(owner.filter())

    def on(self, query: Any) -> Callable[..., Any]:
        """What applies the scope to a query, given its arguments."""

        def applied(*args: Any, **named: Any) -> Any:
            return self.function(query, *args, **named)

        return applied


def scope(function: Callable[[Query[Any]], Query[Any]], *, default: bool = False) -> ScopeOf:
    """A query that a model gives a name.

    ``active = scope(lambda query: query.filter(User.active == True))`` makes ``User.active`` and
    ``User.filter(...).active`` queries.

    Args:
        function: from a query to a narrower one.
        default: it holds for all queries of the model, other than those of ``User.unscoped()``.
    """
    return ScopeOf(function, default)


def scope_with(function: Callable[Concatenate[Query[Any], P], Query[Any]]) -> ScopeWith[P]:
    """A query with arguments that a model gives a name: ``User.older_than(18)``."""
    return ScopeWith(function)
