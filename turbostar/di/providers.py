"""Providers: what makes a dependency, and what it needs for that."""

from __future__ import annotations

import asyncio
import inspect
import sys
import typing
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from turbostar.di.errors import UncallableProvider
from turbostar.di.generics import class_of, match, opened
from turbostar.di.keys import Key, label_of, outermost, place_of, show

__all__ = [
    "APP",
    "TRANSIENT",
    "Form",
    "Kind",
    "Need",
    "Provider",
    "is_indirect",
    "kind_of",
    "uncallable",
]

#: The scope that every container has: one instance for the whole application.
APP = "app"
#: No scope at all: made anew for each that needs it, and torn down with it.
TRANSIENT = "transient"


class Kind(Enum):
    """How a provider makes what it provides."""

    VALUE = auto()  # it is there
    CONTEXT = auto()  # it is given to each scope
    CALL = auto()  # a class or a function
    COROUTINE = auto()
    GENERATOR = auto()
    ASYNC_GENERATOR = auto()

    @property
    def is_async(self) -> bool:
        return self is Kind.COROUTINE or self is Kind.ASYNC_GENERATOR

    @property
    def is_generator(self) -> bool:
        return self is Kind.GENERATOR or self is Kind.ASYNC_GENERATOR


class Form(Enum):
    """In which form a parameter wants what it asks for."""

    ONE = auto()
    LIST = auto()  # list[T]: all providers of T
    DICT = auto()  # dict[str, T]: all that have names
    LAZY = auto()  # Lazy[T]
    FACTORY = auto()  # Callable[[], T]
    ASYNC_FACTORY = auto()  # Callable[[], Awaitable[T]]
    CONSTANT = auto()  # type[T]: the type itself

    @property
    def is_deferred(self) -> bool:
        return self in (Form.LAZY, Form.FACTORY, Form.ASYNC_FACTORY)


@dataclass(frozen=True)
class Need:
    """One parameter of a provider or of a handler.

    Attributes:
        parameter: its name.
        key: what is asked for.
        form: in which form.
        by_position: it cannot be given by its name.
        by_name: it can be given by its name only.
        has_default: it may be left out.
        optional: None will do where nothing is provided.
        bound: the provider that was chosen already: what a decorator wraps.
        whole: what was written, such as ``list[T]``, where the form is not `ONE`: if that is
            provided itself, it is meant.
    """

    parameter: str
    key: Key
    form: Form = Form.ONE
    by_position: bool = False
    by_name: bool = False
    has_default: bool = False
    optional: bool = False
    bound: Provider | None = None
    whole: Key | None = field(default=None, compare=False)  # which may not be hashable

    @property
    def wanted(self) -> str:
        shown = {
            Form.LIST: "list[{}]",
            Form.DICT: "dict[str, {}]",
            Form.LAZY: "Lazy[{}]",
            Form.FACTORY: "Callable[[], {}]",
            Form.ASYNC_FACTORY: "Callable[[], Awaitable[{}]]",
        }
        return shown.get(self.form, "{}").format(self.key)


@dataclass(eq=False)
class Provider:
    """What makes a dependency. Compared by identity.

    Attributes:
        target: the class or function, or the value itself.
        kind: how it is made.
        scope: the name of the scope it lives in, or `TRANSIENT`.
        provides: the type under which it is found, where it is said; else the target's.
        name: told apart by, among providers of one type.
        thread: a sync target is run in a worker thread.
        inner: the provider that this one decorates.
        generic: of a provider made for one type of a generic: each variable and its type.
        pattern: what a function provides for all types that its variables stand for.
        asks_anything: it is what everything can be asked of: the container, or a scope.
    """

    target: Any
    kind: Kind
    scope: str
    provides: Any = None
    name: str | None = None
    thread: bool = False
    inner: Provider | None = None
    generic: dict[Any, Any] = field(default_factory=dict)
    pattern: Any = None
    asks_anything: bool = False

    @property
    def label(self) -> str:
        if self.kind in (Kind.CONTEXT, Kind.VALUE):
            return show(self.provides)
        return label_of(self.target)

    @property
    def where(self) -> str:
        if self.kind in (Kind.CONTEXT, Kind.VALUE):
            return place_of(self.provides)
        return place_of(self.target)

    def of(self, hint: Any) -> Provider | None:
        """This provider of a generic, made for the types that a hint says; None if for others."""
        origin = class_of(hint)
        generic: dict[Any, Any] = {}
        if origin is None or not match(self.pattern or opened(origin), hint, generic):
            return None
        if self.kind is Kind.CONTEXT:  # a value does not know what its class was said to be of
            return self
        return replace(self, provides=hint, generic=generic)


if sys.version_info >= (3, 13):
    _is_coroutine_function = inspect.iscoroutinefunction
else:  # which knows what asgiref and others have marked before inspect did
    _is_coroutine_function = asyncio.iscoroutinefunction


def kind_of(target: Any) -> Kind:
    """How a callable makes what it provides.

    What is called decides, such as an async wrapper of a sync function. A wrapper that is neither
    async nor a generator is taken for what it wraps; see `is_indirect`.
    """
    each, seen = target, set()
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        kind = _kind(each)
        if kind is not None:
            return kind
        called = _called(each)
        each = None if isinstance(called, type) else getattr(called, "__wrapped__", None)
    return Kind.CALL


def is_indirect(target: Any) -> bool:
    """Whether a callable is a wrapper that hands on what an async function or a generator returns.

    That may be a context manager, as of `contextlib.contextmanager`; it may be the result itself
    where the wrapper is one that runs the coroutine.
    """
    return _kind(target) is None and kind_of(target) is not Kind.CALL


def _called(target: Any) -> Any:
    target = outermost(target)
    if inspect.isroutine(target) or isinstance(target, type):
        return target
    return getattr(type(target), "__call__", target)  # noqa: B004


def _kind(target: Any) -> Kind | None:
    """The kind that a callable has by itself; None if it is a plain function or a class."""
    if isinstance(target, type):
        return None
    called = _called(target)
    if inspect.isasyncgenfunction(called):
        return Kind.ASYNC_GENERATOR
    if inspect.isgeneratorfunction(called):
        return Kind.GENERATOR
    if _is_coroutine_function(outermost(target)) or _is_coroutine_function(called):
        return Kind.COROUTINE
    return None


def uncallable(target: Any, kind: Kind) -> UncallableProvider | None:
    """The error that a provider cannot be called; None if it can."""
    if kind is not Kind.CALL:
        return None
    if inspect.isabstract(target):
        missing = ", ".join(sorted(target.__abstractmethods__))
        why = f"is abstract, without {missing}"
    elif isinstance(target, type) and getattr(target, "_is_protocol", False):
        why = "is a protocol"
    elif isinstance(target, type) and issubclass(target, Enum):
        why = "is an enumeration, whose members are there already"
    elif not callable(target) or typing.get_origin(target) is not None:
        why = "is nothing that can be called"
    else:
        return None
    label = show(target) if isinstance(target, type) or typing.get_origin(target) else repr(target)
    return UncallableProvider(
        f"{label} ({place_of(target)}) {why}",
        f"add a class or function that makes one, with provides={label}"
        if isinstance(target, type)
        else "add a class or a function, or provide an object by value()",
    )
