"""Telling a container what is provided."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from turbostar.di.generics import class_of
from turbostar.di.keys import key_of, label_of, meant, place_of
from turbostar.di.providers import APP, Kind, Provider, kind_of
from turbostar.di.registry import Decoration

__all__ = ["Registrations"]


F = TypeVar("F", bound=Callable[..., Any])


class Registrations:
    """What was said about providers, in the order in which it was."""

    def __init__(self, scopes: Sequence[str]) -> None:
        self.scopes = tuple(scopes)
        self._providers: list[tuple[Provider, bool]] = []
        self._decorations: list[Decoration] = []

    def _changed(self) -> None:
        """Called after each change."""
        raise NotImplementedError

    @overload
    def provide(self, target: F) -> F: ...
    @overload
    def provide(
        self,
        *,
        scope: str = ...,
        provides: Any = ...,
        name: str | None = ...,
        thread: bool = ...,
        replace: bool = ...,
    ) -> Callable[[F], F]: ...
    def provide(
        self,
        target: Any = None,
        *,
        scope: str = "request",
        provides: Any = None,
        name: str | None = None,
        thread: bool = False,
        replace: bool = False,
    ) -> Any:
        """Decorate a function, generator or class with this to have it provide what it returns.

        Args:
            target: the function, where the decorator has no arguments.
            scope: one of the container's scopes, or "transient".
            provides: the type, where it is not what the function is annotated with.
            name: to tell providers of one type apart.
            thread: run a sync function in a worker thread.
            replace: take the place of what was provided under this type and name.
        """

        def decorate(target: F) -> F:
            self.add(
                target, scope=scope, provides=provides, name=name, thread=thread, replace=replace
            )
            return target

        return decorate if target is None else decorate(target)

    def add(
        self,
        target: Any,
        *,
        scope: str = "request",
        provides: Any = None,
        name: str | None = None,
        thread: bool = False,
        replace: bool = False,
    ) -> None:
        """Provide instances of a class, or what a function returns; arguments as of `provide`."""
        generic: dict[Any, Any] = {}
        origin = class_of(target)
        if origin is not None:
            provides = target if provides is None else provides
            variables = getattr(origin, "__parameters__", ())
            generic = dict(zip(variables, typing.get_args(target), strict=False))
            target = origin
        kind = kind_of(target)
        if thread and kind.is_async:
            raise ValueError(
                f"{label_of(target)} ({place_of(target)}) is async, and thread=True is for what is "
                "sync: leave thread=True out"
            )
        self._enter(Provider(target, kind, scope, provides, name, thread, None, generic), replace)

    def value(
        self, value: Any, *, provides: Any = None, name: str | None = None, replace: bool = False
    ) -> None:
        """Provide an object that is there already, under its own type or another."""
        hint = type(value) if provides is None else provides
        self._enter(Provider(value, Kind.VALUE, APP, hint, name), replace)

    def decorate(self, provided: Any, target: Callable[..., Any]) -> None:
        """Wrap what is provided: `target` is called with it, in the parameter of that type.

        Args:
            provided: the type, or a pair of type and name.
            target: a class or function. Its scope is that of what it wraps.
        """
        self._decorations.append(Decoration(key_of(provided), target, kind_of(target)))
        self._changed()

    def context(self, hint: Any, *, scope: str | None = None) -> None:
        """Say that each scope is given a value of this type when it is opened.

        Args:
            hint: the type, under which providers may ask for it.
            scope: the scope that is given it; the narrowest if left out.
        """
        hint = meant(hint)
        known = any(each.provides is hint for each, _ in self._providers)
        if not known:
            provider = Provider(None, Kind.CONTEXT, scope or self.scopes[-1], hint)
            self._enter(provider, False)

    def _enter(self, provider: Provider, replace: bool) -> None:
        provider.provides = meant(provider.provides)
        self._providers.append((provider, replace))
        self._changed()
