"""Reading the type hints of a callable: what its parameters need, and what it provides."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections import ChainMap
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Annotated, Any, TypeVar, Union

from turbostar.di.callables import VARIABLE, annotated, signature_of
from turbostar.di.errors import UnresolvableHint
from turbostar.di.generics import plain, substituted, variables_of, writer_of
from turbostar.di.keys import Key, key_of, label_of, place_of
from turbostar.di.markers import INJECT, Lazy, Marker, Named
from turbostar.di.providers import Form, Need

__all__ = [
    "Parameter",
    "is_asked",
    "need_of",
    "parameters_of",
    "provided_by",
    "signature_without",
]

_YIELDS = (AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator)


class Parameter(typing.NamedTuple):
    """A parameter of a callable, its hint resolved; `inspect.Parameter.empty` where it has none."""

    name: str
    hint: Any
    by_position: bool
    by_name: bool
    default: Any = inspect.Parameter.empty

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        return self.default is not inspect.Parameter.empty

    @property
    def marker(self) -> Marker | None:
        """The marker of its annotation, such as `Body`."""
        if typing.get_origin(self.hint) is not Annotated:
            return None
        metadata = typing.get_args(self.hint)[1:]
        return next((each for each in metadata if isinstance(each, Marker)), None)

    @property
    def bare(self) -> Any:
        """The hint without its metadata."""
        if typing.get_origin(self.hint) is Annotated:
            return typing.get_args(self.hint)[0]
        return self.hint

    @property
    def decoded(self) -> Any:
        """The hint without what it says to the container: what a body is decoded as."""
        if typing.get_origin(self.hint) is not Annotated:
            return self.hint
        base, *metadata = typing.get_args(self.hint)
        others = [each for each in metadata if not isinstance(each, Marker | Named)]
        return Annotated[(base, *others)] if others else base


def parameters_of(target: Any, known: Mapping[str, Any]) -> list[Parameter]:
    """The parameters of a callable, `*args` and `**kwargs` left out.

    Args:
        target: a function, a class or anything else that can be called.
        known: types by their names, for hints that name what was imported for type checkers only.

    Raises:
        UnresolvableHint: an annotation names something that cannot be found.
    """
    signature = signature_of(target)
    owner, hints = annotated(target)
    found = []
    for parameter in signature.parameters.values():
        if parameter.kind in VARIABLE:
            continue
        hint = hints.get(parameter.name, parameter.annotation)
        found.append(
            Parameter(
                parameter.name,
                _resolved(hint, parameter.name, owner, target, known),
                parameter.kind is parameter.POSITIONAL_ONLY,
                parameter.kind is parameter.KEYWORD_ONLY,
                parameter.default,
            )
        )
    return found


def signature_without(
    target: Any, names: Collection[str], known: Mapping[str, Any]
) -> inspect.Signature:
    """The signature of a callable without some of its parameters.

    Its hints are resolved, but for those that only type checkers can: they stay as written.
    """
    owner, _ = annotated(target)

    def resolved(hint: Any, name: str) -> Any:
        try:
            return _resolved(hint, name, owner, target, known)
        except UnresolvableHint:
            return hint

    signature = signature_of(target)
    left = [
        each.replace(annotation=resolved(each.annotation, each.name))
        for each in signature.parameters.values()
        if each.name not in names
    ]
    returned = resolved(signature.return_annotation, "return")
    return signature.replace(parameters=left, return_annotation=returned)


def _resolved(hint: Any, name: str, owner: Any, target: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(hint, type) and not typing.get_args(hint):  # nothing is to be looked up
        return hint
    scopes = [_closure(owner), getattr(owner, "__globals__", {})]
    variables = [*getattr(owner, "__type_params__", ())]
    if isinstance(target, type):
        writer = writer_of(target, name)
        scopes.append(getattr(sys.modules.get(writer.__module__), "__dict__", {}))
        for each in (writer, *target.__mro__):
            variables += getattr(each, "__type_params__", ())
    scopes.insert(1, {each.__name__: each for each in reversed(variables)})
    # A class, in which Final and InitVar may be written.
    holder = type("Holder", (), {"__annotations__": {name: hint}})
    names: Any = ChainMap(*scopes, dict(known))
    try:
        found = typing.get_type_hints(holder, {}, names, include_extras=True)[name]
        if isinstance(found, dataclasses.InitVar) and isinstance(found.type, str):
            return _resolved(found.type, name, owner, target, known)
    except Exception as exc:
        raise UnresolvableHint(
            f"{label_of(target)} ({place_of(target)}): the hint {hint!r} of {name!r} cannot be "
            f"resolved: {type(exc).__name__}: {exc}",
            "import the name where the function is defined, or provide the type to the container, "
            "which then finds it by its name",
        ) from exc
    return plain(found)


def _closure(owner: Any) -> dict[str, Any]:
    if not inspect.isfunction(owner):
        return {}
    found = {}
    for name, cell in zip(owner.__code__.co_freevars, owner.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def need_of(parameter: Parameter, generic: Mapping[Any, Any], target: Any) -> Need:
    """What a parameter asks the container for.

    Raises:
        UnresolvableHint: it is not annotated.
    """
    if parameter.hint is inspect.Parameter.empty:
        raise UnresolvableHint(
            f"{label_of(target)} ({place_of(target)}): the parameter {parameter.name!r} has no "
            "annotation",
            "annotate it with the type it needs, or give it a default",
        )
    hint = parameter.hint
    is_variable = isinstance(hint, TypeVar) or bool(getattr(hint, "__parameters__", None))
    if is_variable:
        hint = plain(substituted(hint, variables_of(target, generic, parameter.name)))
    hint, optional = _without_none(hint)
    key = key_of(hint)
    form, inner = _form_of(key.type)
    whole = None if form is Form.ONE else key
    if form is Form.CONSTANT and parameter.has_default and hint == parameter.bare:
        form = Form.ONE  # no variable stood there, so the default is meant
    if form is not Form.ONE:
        inner_key = key_of(inner)
        key = Key(inner_key.type, inner_key.name or key.name)
    return Need(
        parameter.name,
        key,
        form,
        parameter.by_position,
        parameter.by_name,
        parameter.has_default,
        optional,
        whole=whole,
    )


def is_asked(parameter: Parameter) -> bool:
    """Whether a parameter says that it is supplied, by `Inject`, `Named` or `Lazy`."""
    base, *metadata = (
        typing.get_args(parameter.hint)
        if typing.get_origin(parameter.hint) is Annotated
        else (parameter.hint,)
    )
    return typing.get_origin(_without_none(base)[0]) is Lazy or any(
        each is INJECT or isinstance(each, Named) for each in metadata
    )


def _without_none(hint: Any) -> tuple[Any, bool]:
    base, *metadata = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    if typing.get_origin(base) not in (Union, types.UnionType):
        return hint, False
    arms = [arm for arm in typing.get_args(base) if arm is not type(None)]
    if len(arms) != 1 or len(arms) == len(typing.get_args(base)):
        return hint, False
    return (Annotated[(arms[0], *metadata)] if metadata else arms[0]), True


def _form_of(hint: Any) -> tuple[Form, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if not arguments:
        return Form.ONE, hint
    if origin in (list, Sequence):
        return Form.LIST, arguments[0]
    if origin in (dict, Mapping) and arguments[0] is str:
        return Form.DICT, arguments[1]
    if origin is Lazy:
        return Form.LAZY, arguments[0]
    if origin is type:
        return Form.CONSTANT, arguments[0]
    if origin is Callable and arguments[0] == []:
        if typing.get_origin(arguments[1]) is Awaitable:
            return Form.ASYNC_FACTORY, typing.get_args(arguments[1])[0]
        return Form.FACTORY, arguments[1]
    return Form.ONE, hint


def _self_of(target: Any) -> Any:
    """What Self is in the hints of a method that is bound to a class or an object."""
    bound = getattr(target, "__self__", None)
    if bound is None:
        raise UnresolvableHint(
            f"{label_of(target)} ({place_of(target)}) returns Self, and is bound to no class",
            "name the class that it returns, or say provides=",
        )
    return bound if isinstance(bound, type) else type(bound)


def provided_by(target: Any, known: Mapping[str, Any], *, yields: bool) -> Any:
    """The type that a callable provides: itself, if a class, else what it returns or yields.

    Raises:
        UnresolvableHint: a function does not say what it returns.
    """
    if isinstance(target, type):
        return target
    owner, _ = annotated(target)
    hint = signature_of(target).return_annotation
    repair = "annotate what it returns, or say provides="
    if hint is inspect.Signature.empty:
        raise UnresolvableHint(
            f"{label_of(target)} ({place_of(target)}) does not say what it provides", repair
        )
    found = _resolved(hint, "return", owner, target, known)
    if yields:
        if typing.get_origin(found) not in _YIELDS:
            raise UnresolvableHint(
                f"{label_of(target)} ({place_of(target)}) is a generator, and not annotated as one",
                "annotate it as Iterator[T] or AsyncIterator[T]",
            )
        found = typing.get_args(found)[0]
    if found is typing.Self:
        found = _self_of(target)
    if found is None or found is type(None):
        raise UnresolvableHint(
            f"{label_of(target)} ({place_of(target)}) returns None, which is nothing to provide",
            repair,
        )
    return found
