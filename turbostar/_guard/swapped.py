"""Import-swapped classes: which functions of ours they have, and when they give way."""

from __future__ import annotations

from types import FunctionType
from typing import Any, TypeVar

from turbostar._guard.sources import may, objection, within
from turbostar._guard.table import TABLE, Acceleration

__all__ = ["accelerated", "present", "refresh", "swapped"]

C = TypeVar("C", bound=type)

_swapped: list[tuple[type, Acceleration]] = []


def present(entry: Acceleration) -> Any:
    """Return our function, by the name and with the annotations of what it stands in for.

    Monitoring tells functions apart by these names, and error messages quote them; frameworks read
    annotations. Those are strings, which name the same things in our modules as in Starlette's.
    """
    replacement = entry.replacement
    function = within(replacement)
    stock = within(getattr(entry.owner, entry.name, None))
    if type(function) is FunctionType and function.__module__.startswith("turbostar"):
        _take_name(function, stock, entry.path, entry.module.__name__)
        if type(stock) is FunctionType and stock.__module__.startswith("starlette"):
            function.__annotations__ = dict(stock.__annotations__)
    if type(replacement) is property:
        # An error quotes it: 3.11 takes the name that a class gives its property when it is made.
        replacement.__set_name__(entry.owner, entry.name)  # type: ignore[attr-defined]
    return replacement


def _take_name(function: FunctionType, stock: Any, path: str, module: str) -> None:
    """Let a function of ours go by the name of Starlette's; by `path` if that has no name."""
    function.__name__ = getattr(stock, "__name__", path.rpartition(".")[2])
    function.__qualname__ = getattr(stock, "__qualname__", path)
    function.__module__ = getattr(stock, "__module__", module)


def accelerated(cls: C) -> C:
    """Class decorator of an import-swapped class: give it our functions for its stock base."""
    stock = cls.__mro__[1]
    cls._turbostar_twin_of = stock  # type: ignore[attr-defined]
    for name, value in list(vars(cls).items()):
        if type(value) is FunctionType and name in vars(stock):
            _take_name(value, vars(stock)[name], f"{stock.__qualname__}.{name}", stock.__module__)
    for entry in TABLE:
        if entry.target.startswith(f"{stock.__module__}:{stock.__qualname__}."):
            _swapped.append((cls, entry))
            if _is_installed(entry) or may(entry):
                setattr(cls, entry.name, present(entry))
    return cls


def _is_installed(entry: Acceleration) -> bool:
    """Whether Starlette's own class has our function already."""
    return vars(entry.owner).get(entry.name) is entry.replacement


def swapped() -> list[Acceleration]:
    """What import-swapped classes have of ours, in the place of what Starlette's have."""
    return [entry for _, entry in _swapped]


def refresh() -> list[tuple[type, str]]:
    """Let import-swapped classes follow what has been replaced in Starlette's, or put back.

    Returns:
        What import-swapped classes now inherit from Starlette's, and did not before.
    """
    left = []
    for cls, entry in _swapped:
        ours = vars(cls).get(entry.name) is entry.replacement
        if _is_installed(entry) or not objection(entry):
            if entry.name not in vars(cls):
                setattr(cls, entry.name, present(entry))
        elif ours:
            delattr(cls, entry.name)
            left.append((cls, entry.name))
    return left
