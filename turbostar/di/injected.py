"""Functions that are supplied with what they ask for, and called with the rest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from turbostar.di.codegen import Names
from turbostar.di.handlers import Argument, Call, Handler
from turbostar.di.hints import Parameter, is_asked, need_of, parameters_of, signature_without
from turbostar.di.keys import label_of, place_of
from turbostar.di.providers import kind_of

__all__ = ["call_of", "present"]


def call_of(function: Callable[..., Any], names: Names, known: Mapping[str, Any]) -> Call:
    """How a function is called of which some parameters are supplied.

    Args:
        function: parameters that are annotated with `Inject`, `Lazy` or `Named` are supplied.
        names: the globals of generated functions.
        known: types by their names; see `parameters_of`.

    Raises:
        ValueError: it is a generator.
    """
    if kind_of(function).is_generator:
        raise ValueError(
            f"{label_of(function)} ({place_of(function)}) is a generator, and begins after the "
            "scope of its call has ended: open one within it by di.scope()"
        )
    parameters = parameters_of(function, known)
    arguments = [
        Argument(each.name, need_of(each, {}, function), True)
        for each in parameters
        if is_asked(each)
    ]
    call = Call(function, "*args, **kwargs", arguments, ("*args", "**kwargs"))
    before, after = _around_supplied(parameters)
    if after:
        by_name = functools.partial(_by_name, label_of(function), before, after)
        call.prelude.append(f"args = {names.reserve('by_name', by_name)}(args, kwargs)")
    return call


def present(handler: Handler, known: Mapping[str, Any]) -> None:
    """Have what is called in place of a function look like what is left of that.

    Frameworks and tools that read names, signatures and docstrings see what they are to pass.
    """
    made, function = handler.function, handler.call.function
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(made, name, getattr(function, name, getattr(made, name)))
    supplied = {each.parameter for each in handler.call.arguments}
    made.__signature__ = signature_without(function, supplied, known)


def _around_supplied(parameters: Sequence[Parameter]) -> tuple[int, tuple[str, ...]]:
    """How many arguments come before the first that is supplied, and the names of the others."""
    by_position = [each for each in parameters if not each.by_name]
    first = next((at for at, each in enumerate(by_position) if is_asked(each)), len(by_position))
    return first, tuple(each.name for each in by_position[first:] if not is_asked(each))


def _by_name(
    label: str, before: int, after: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Pass arguments by name that stand after one that is supplied; return those before.

    Raises:
        TypeError: there are too many, or one of them is named as well.
    """
    count = before + len(after)
    if len(args) > count:
        raise TypeError(f"{label}() takes {count} positional arguments but {len(args)} were given")
    for name, value in zip(after, args[before:], strict=False):
        if name in kwargs:
            raise TypeError(f"{label}() got multiple values for argument {name!r}")
        kwargs[name] = value
    return args[:before]
