"""Keys: under which type and name something is provided, and how both are shown."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import typing
from typing import Annotated, Any, NamedTuple

from turbostar.di.generics import class_of, plain
from turbostar.di.markers import Named

__all__ = ["Key", "key_of", "label_of", "meant", "outermost", "place_of", "show"]


class Key(NamedTuple):
    """A type, and the name that tells providers of one type apart."""

    type: Any
    name: str | None = None

    def __str__(self) -> str:
        return show(self.type) if self.name is None else f"{show(self.type)} named {self.name!r}"


def key_of(asked: Any) -> Key:
    """The key that somebody writes as ``Repo``, ``(Repo, "name")`` or ``Annotated[...]``."""
    if isinstance(asked, Key):
        return asked
    if isinstance(asked, tuple) and len(asked) == 2 and isinstance(asked[1], str):
        return Key(meant(plain(asked[0])), asked[1])
    asked = plain(asked)
    if typing.get_origin(asked) is Annotated:
        base, *metadata = typing.get_args(asked)
        name = next((each.name for each in metadata if isinstance(each, Named)), None)
        return Key(meant(base), name)
    return Key(meant(asked))


def meant(hint: Any) -> Any:
    """Starlette's class in place of the one that turbostar has for swapped imports.

    To a type checker they are one class, and so they are to who asks for a `Request`.
    """
    origin = class_of(hint)
    cls = hint if origin is None else origin
    stock = getattr(cls, "__dict__", {}).get("_turbostar_twin_of")
    if stock is None:
        return hint
    return stock if origin is None else stock[typing.get_args(hint)]


def show(hint: Any) -> str:
    """A type as one writes it, without its module."""
    if hint is type(None):
        return "None"
    arguments = typing.get_args(hint)
    if arguments and not isinstance(hint, type(Annotated)):
        origin = getattr(typing.get_origin(hint), "__name__", str(typing.get_origin(hint)))
        shown = ", ".join(
            "[" + ", ".join(map(show, each)) + "]" if isinstance(each, list) else show(each)
            for each in arguments
        )
        return f"{origin}[{shown}]"
    name = getattr(hint, "__qualname__", None) or getattr(hint, "__name__", None) or str(hint)
    return str(name).rpartition("<locals>.")[2]


def outermost(target: Any) -> Any:
    """What a `functools.partial` calls; anything else is itself."""
    while isinstance(target, functools.partial):
        target = target.func
    return target


def label_of(target: Any) -> str:
    """The name of a callable or of an object, for messages."""
    target = inspect.unwrap(outermost(target))
    name = getattr(target, "__qualname__", None) or type(target).__qualname__
    return str(name).rpartition("<locals>.")[2]


def place_of(target: Any) -> str:
    """The file and line of a callable or of a class: ``app.py:12``."""
    target = inspect.unwrap(outermost(target))
    if isinstance(target, type):
        file = getattr(sys.modules.get(target.__module__), "__file__", None) or ""
        line = target.__dict__.get("__firstlineno__")  # since Python 3.13
        if line is None:
            try:
                line = inspect.getsourcelines(target)[1]
            except (OSError, TypeError):  # written nowhere
                line = None
    else:
        code = getattr(getattr(target, "__func__", target), "__code__", None)
        file, line = (code.co_filename, code.co_firstlineno) if code else ("", None)
    if not file or file.startswith("<"):
        return str(getattr(target, "__module__", "?"))
    return os.path.basename(file) + (f":{line}" if line else "")
