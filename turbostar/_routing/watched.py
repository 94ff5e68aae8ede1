"""Routes, routers and lists of routes that tell of their changes.

What is compiled from them learns of it by `turbostar._guard.compiled`. An attribute that routing
never reads may change as often as anybody likes, at no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex, TypeVar, overload

from turbostar._guard.classes import method_of
from turbostar._guard.compiled import changed

__all__ = ["RouteList", "watched_delattr", "watched_setattr"]

T = TypeVar("T")

#: What routing reads of a route or router.
_READ = frozenset(
    {"__class__", "app", "convertors", "endpoint", "host", "host_format", "host_regex", "methods"}
    | {"middleware_stack", "name", "param_convertors", "path", "path_format", "path_regex"}
    | {"routes", "_base_app"}
)


_ABSENT = object()


def watched_setattr(self: Any, name: str, value: Any) -> None:
    """``__setattr__`` of watched classes."""
    before = self.__dict__.get(name, _ABSENT)
    _next(type(self), "__setattr__", watched_setattr)(self, name, value)
    if before is value:
        return
    # Any other attribute matters only if it hides a method.
    if name in _READ or method_of(type(self), name) is not None:
        changed(self)


def watched_delattr(self: Any, name: str) -> None:
    """``__delattr__`` of watched classes."""
    _next(type(self), "__delattr__", watched_delattr)(self, name)
    changed(self)


def _next(cls: type, name: str, ours: Any) -> Any:
    """The method that comes after ours: most often `object`'s, but a mixin may stand between."""
    found = False
    for base in cls.__mro__:
        method = base.__dict__.get(name)
        if method is ours:
            found = True
        elif found and method is not None:
            return method
    return getattr(object, name)


class RouteList(list[T]):
    """A list of routes that tells of its changes, and is else a list like any."""

    __slots__ = ()

    def __init__(self, routes: Iterable[T] = (), /) -> None:
        # Called again, it changes what is in the list.
        try:
            super().__init__(routes)
        finally:
            changed(self)

    def append(self, item: T, /) -> None:
        """Add a route at the end, as ``list.append`` does, and tell of it."""
        super().append(item)
        changed(self)

    def extend(self, items: Iterable[T], /) -> None:
        """Add routes at the end, and tell of it, also where the iterable fails half-way."""
        try:
            super().extend(items)
        finally:
            changed(self)

    def insert(self, index: SupportsIndex, item: T, /) -> None:
        """Put a route before an index, as ``list.insert`` does, and tell of it."""
        super().insert(index, item)
        changed(self)

    def remove(self, item: T, /) -> None:
        """Remove the first equal route, and tell of it.

        Raises:
            ValueError: there is none; nothing has changed then.
        """
        super().remove(item)
        changed(self)

    def pop(self, index: SupportsIndex = -1, /) -> T:
        """Remove the route at an index and return it, and tell of it.

        Raises:
            IndexError: there is none; nothing has changed then.
        """
        item = super().pop(index)
        changed(self)
        return item

    def clear(self) -> None:
        """Remove all routes, and tell of it."""
        super().clear()
        changed(self)

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        """Sort in place, and tell of it, also where a comparison fails half-way."""
        try:
            super().sort(key=key, reverse=reverse)
        finally:
            changed(self)

    def reverse(self) -> None:
        """Turn the order of the routes round, and tell of it."""
        super().reverse()
        changed(self)

    @overload
    def __setitem__(self, index: SupportsIndex, value: T, /) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[T], /) -> None: ...
    def __setitem__(self, index: Any, value: Any, /) -> None:
        super().__setitem__(index, value)
        changed(self)

    def __delitem__(self, index: SupportsIndex | slice, /) -> None:
        super().__delitem__(index)
        changed(self)

    def __iadd__(self, items: Iterable[T], /) -> RouteList[T]:  # type: ignore[misc, override]
        self.extend(items)
        return self

    def __imul__(self, times: SupportsIndex, /) -> RouteList[T]:
        super().__imul__(times)
        changed(self)
        return self

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> Any:
        # Copies and pickles are plain lists: nothing compiled depends on them. The routes come
        # after the list, for one of them may hold it.
        return list, (), None, iter(self)
