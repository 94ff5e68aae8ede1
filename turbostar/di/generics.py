"""Aliases of types, and the variables of generic ones with what these stand for."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Generic, Protocol, TypeVar, Union

from turbostar.di.markers import Marker, Named

__all__ = [
    "annotations_of",
    "class_of",
    "is_open",
    "match",
    "opened",
    "plain",
    "substituted",
    "variables_of",
    "writer_of",
]


def plain(hint: Any) -> Any:
    """A hint without aliases, and with what it says to the container at its outside.

    Of ``InitVar[T]`` and ``Final[T]`` this is T, and of ``Inject[T] | None`` it is
    ``Inject[T | None]``.
    """
    hint = _unaliased(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        base = plain(arguments[0])
        return hint if base is arguments[0] else Annotated[(base, *arguments[1:])]
    if origin not in (Union, types.UnionType):
        return hint
    ours: list[Any] = []
    arms = []
    for arm in map(plain, arguments):
        base, *metadata = typing.get_args(arm) if typing.get_origin(arm) is Annotated else (arm,)
        ours += [each for each in metadata if isinstance(each, Marker | Named)]
        others = [each for each in metadata if not isinstance(each, Marker | Named)]
        arms.append(Annotated[(base, *others)] if others else base)
    if tuple(arms) == arguments:
        return hint
    union: Any = Union.__getitem__(tuple(arms))
    return Annotated[(union, *ours)] if ours else union


def _unaliased(hint: Any) -> Any:
    while True:
        origin = typing.get_origin(hint)
        alias = hint if origin is None else origin
        if isinstance(hint, dataclasses.InitVar):
            hint = hint.type
        elif origin is typing.Final:
            hint = typing.get_args(hint)[0]
        elif type(alias).__name__ == "TypeAliasType":  # typing's, or that of typing_extensions
            variables = dict(zip(alias.__type_params__, typing.get_args(hint), strict=False))
            hint = substituted(alias.__value__, variables)
        else:
            return hint


def class_of(hint: Any) -> Any:
    """The class of a generic such as ``Repo[User]``; None of any other hint."""
    origin = typing.get_origin(hint)
    is_class = isinstance(origin, type) and origin not in (Annotated, Union, types.UnionType)
    return origin if is_class else None


def is_open(hint: Any) -> bool:
    """Whether it is a generic of variables, such as ``Repo[T]``, which stand for any type."""
    return class_of(hint) is not None and bool(getattr(hint, "__parameters__", ()))


def opened(generic: Any) -> Any:
    """A generic class, of its own variables; any other class is itself."""
    variables = getattr(generic, "__parameters__", ())
    return generic[variables] if variables else generic


def substituted(hint: Any, generic: Mapping[Any, Any]) -> Any:
    """The hint, with the variables of a generic replaced by what they stand for."""
    if not generic:
        return hint
    if isinstance(hint, TypeVar):
        return generic.get(hint, hint)
    variables = getattr(hint, "__parameters__", ())
    if not variables or isinstance(hint, type):
        return hint
    return hint[tuple(generic.get(each, each) for each in variables)]


def match(pattern: Any, hint: Any, found: dict[Any, Any]) -> bool:
    """Whether a hint is what a pattern with variables may stand for; `found` says with what."""
    if isinstance(pattern, TypeVar):
        return bool(found.setdefault(pattern, hint) == hint)
    ours, theirs = typing.get_args(pattern), typing.get_args(hint)
    if not ours or typing.get_origin(pattern) != typing.get_origin(hint):
        return bool(pattern == hint)
    return len(ours) == len(theirs) and all(
        match(each, other, found) for each, other in zip(ours, theirs, strict=True)
    )


def annotations_of(cls: type) -> dict[str, Any]:
    """What is annotated in the body of a class itself."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(cls)


def writer_of(cls: type, parameter: str) -> type:
    """In which class, of a class and its bases, a parameter of the constructor is annotated."""
    marks = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__")
    if any(hasattr(cls, mark) for mark in marks):
        for each in cls.__mro__:
            if parameter in annotations_of(each):
                return each
    return next((each for each in cls.__mro__ if "__init__" in each.__dict__), cls)


def variables_of(target: Any, generic: Mapping[Any, Any], parameter: str) -> Mapping[Any, Any]:
    """What variables stand for where a parameter is annotated, be it in a base.

    Args:
        target: the class or function that is called.
        generic: what its own variables stand for.
        parameter: the name of the parameter.
    """
    if not isinstance(target, type):
        return generic
    return _followed(target, generic).get(writer_of(target, parameter), generic)


def seen_as(cls: type, base: Any) -> Any:
    """What a base of a class is of, such as ``Repo[User]``, in the variables of the class.

    None if the class does not say.
    """
    said = _followed(cls, {}).get(base)
    variables = getattr(base, "__parameters__", ())
    return base[tuple(said[each] for each in variables)] if said and variables else None


def _followed(target: type, generic: Mapping[Any, Any]) -> dict[type, Mapping[Any, Any]]:
    """What variables stand for in a class and each of its bases."""
    found: dict[type, Mapping[Any, Any]] = {target: generic}
    waiting = [target]
    while waiting:
        each = waiting.pop()
        for base in each.__dict__.get("__orig_bases__", each.__bases__):
            origin = typing.get_origin(base) or base
            if origin in (Generic, Protocol) or origin in found or not isinstance(origin, type):
                continue
            said = [substituted(argument, found[each]) for argument in typing.get_args(base)]
            found[origin] = dict(zip(getattr(origin, "__parameters__", ()), said, strict=False))
            waiting.append(origin)
    return found
