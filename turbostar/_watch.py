"""What tells compiled tables that something they were compiled from has changed.

Routes, mounts and routers are the user's objects: any attribute may be
replaced at any time, and the next request must see it. So attributes that are replaced, and lists
of routes that are changed, end an *era*; whatever was compiled remembers the era it belongs to and
is compiled anew in another one. Asking costs one comparison of a global per request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex, TypeVar, overload

__all__ = ["RouteList", "current_era", "end_era", "watched_delattr", "watched_setattr"]

T = TypeVar("T")


class Era:
    """A stretch of time in which nothing watched was changed."""

    __slots__ = ("is_over", "known")

    def __init__(self) -> None:
        self.is_over = False
        #: What was found out about functions in this era.
        self.known: dict[Any, bool] = {}


_era = Era()


def current_era() -> Era:
    """The era that lasts until something watched changes."""
    return _era


def end_era() -> None:
    """Say that something watched has changed; call it after the change, never before."""
    global _era
    ended, _era = _era, Era()
    ended.is_over = True


def watched_setattr(self: Any, name: str, value: Any) -> None:
    """``__setattr__`` of watched classes.

    The first value of an attribute is no change, unless it hides one of the class, as a method.
    """
    values = self.__dict__
    # What a route sets last; before that it is being built, and nothing was compiled from it.
    is_built = "param_convertors" in values or "middleware_stack" in values
    replaces = is_built and (name in values or hasattr(type(self), name))
    object.__setattr__(self, name, value)
    if replaces:
        end_era()


def watched_delattr(self: Any, name: str) -> None:
    """``__delattr__`` of watched classes."""
    object.__delattr__(self, name)
    end_era()


class RouteList(list[T]):
    """A list of routes that ends the era whenever it is changed, and is else a list like any."""

    __slots__ = ()

    def append(self, item: T, /) -> None:
        super().append(item)
        end_era()

    def extend(self, items: Iterable[T], /) -> None:
        try:
            super().extend(items)
        finally:
            end_era()

    def insert(self, index: SupportsIndex, item: T, /) -> None:
        super().insert(index, item)
        end_era()

    def remove(self, item: T, /) -> None:
        super().remove(item)
        end_era()

    def pop(self, index: SupportsIndex = -1, /) -> T:
        item = super().pop(index)
        end_era()
        return item

    def clear(self) -> None:
        super().clear()
        end_era()

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        try:
            super().sort(key=key, reverse=reverse)
        finally:
            end_era()

    def reverse(self) -> None:
        super().reverse()
        end_era()

    @overload
    def __setitem__(self, index: SupportsIndex, value: T, /) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[T], /) -> None: ...
    def __setitem__(self, index: Any, value: Any, /) -> None:
        super().__setitem__(index, value)
        end_era()

    def __delitem__(self, index: SupportsIndex | slice, /) -> None:
        super().__delitem__(index)
        end_era()

    def __iadd__(self, items: Iterable[T], /) -> RouteList[T]:  # type: ignore[misc, override]
        self.extend(items)
        return self

    def __imul__(self, times: SupportsIndex, /) -> RouteList[T]:
        super().__imul__(times)
        end_era()
        return self

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> Any:
        # Copies and pickles are plain lists: nothing compiled depends on them.
        return list, (list(self),)
