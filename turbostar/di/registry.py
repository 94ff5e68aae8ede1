"""The registry: which provider answers which need. It does not change once it is made."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import typing
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from turbostar.di.errors import (
    AmbiguousProvider,
    DuplicateProvider,
    InjectionError,
    MissingProvider,
    UnresolvableHint,
)
from turbostar.di.generics import class_of, is_open, seen_as
from turbostar.di.hints import need_of, parameters_of, provided_by
from turbostar.di.keys import Key, key_of, show
from turbostar.di.providers import APP, TRANSIENT, Form, Kind, Need, Provider, kind_of, uncallable
from turbostar.di.suggestions import to_provide

__all__ = ["Decoration", "Registry"]


class Decoration(typing.NamedTuple):
    """What is provided under `key` is to be wrapped by `target`."""

    key: Key
    target: Any
    kind: Kind


class Registry:
    """Providers by what they provide, decorated.

    Attributes:
        scopes: the names of the scopes, the widest first.
        by_type: the providers of each type, in the order in which they were added.
        faults: what was wrong with single providers.
        shadowed: providers that others replaced.
    """

    def __init__(
        self,
        scopes: Sequence[str],
        providers: Iterable[tuple[Provider, bool]],
        decorations: Iterable[Decoration] = (),
    ) -> None:
        self.scopes = tuple(scopes)
        self.by_type: dict[Any, list[Provider]] = {}
        self.faults: list[InjectionError] = []
        self.shadowed: list[Provider] = []
        self._needs: dict[Provider, tuple[Need, ...]] = {}
        self._special: dict[Any, list[Provider]] = {}
        self._widths: dict[Provider, int] = {}
        waiting = list(providers)
        self.known = _names_of(waiting)
        for provider, _ in waiting:
            with contextlib.suppress(InjectionError):  # to be told when it is entered
                self._say_what_it_provides(provider)
        self.known = _names_of(waiting)
        for provider, replaces in waiting:
            self._enter(provider, replaces)
        for decoration in decorations:
            self._decorate(decoration)

    def overridden(self, values: dict[Key, Any]) -> Registry:
        """A registry like this one in which values stand for some of what is provided."""
        other = Registry(self.scopes, ())
        other.known = self.known
        other._needs = self._needs
        other._special = {
            hint: made
            for hint, made in self._special.items()
            if not any(key.type in (hint, typing.get_origin(hint)) for key in values)
        }
        other.by_type = {hint: list(found) for hint, found in self.by_type.items()}
        for key, value in values.items():
            found = Provider(value, Kind.VALUE, APP, key.type, key.name)
            kept = [each for each in other.by_type.get(key.type, ()) if each.name != key.name]
            other.by_type[key.type] = [*kept, found]
        return other

    def _enter(self, provider: Provider, replaces: bool) -> None:
        fault = uncallable(provider.target, provider.kind)
        if fault is not None:
            self.faults.append(fault)
            self._needs[provider] = ()
            if provider.provides is None and not isinstance(provider.target, type):
                return
        try:
            self._say_what_it_provides(provider)
        except InjectionError as fault:
            self.faults.append(fault)
            return
        if is_open(provider.provides):  # provided as the class itself
            provider.pattern = provider.provides
            provider.provides = typing.get_origin(provider.provides)
        elif not provider.generic and provider.kind not in (Kind.VALUE, Kind.CONTEXT):
            provider.pattern = self._pattern(provider.target, provider.provides)
        same = self.by_type.setdefault(provider.provides, [])
        rivals = [each for each in same if each.name == provider.name]
        if replaces:
            self.shadowed += rivals
            same[:] = [each for each in same if each not in rivals]
        elif any(each.name or each.target is provider.target for each in rivals):
            first = rivals[0]
            self.faults.append(
                DuplicateProvider(
                    f"{Key(provider.provides, provider.name)} is provided twice: by {first.label} "
                    f"({first.where}) and by {provider.label} ({provider.where})",
                    "remove one, name it differently, or say replace=True",
                )
            )
        same.append(provider)

    def _say_what_it_provides(self, provider: Provider) -> None:
        if provider.provides is None and callable(provider.target):
            yields = provider.kind.is_generator
            key = key_of(provided_by(provider.target, self.known, yields=yields))
            provider.provides, provider.name = key.type, provider.name or key.name

    def _pattern(self, target: Any, provides: Any) -> Any:
        """For which types of a generic something that is provided as the class stands."""
        if not getattr(provides, "__parameters__", ()) or target is provides:
            return None
        if isinstance(target, type):
            return seen_as(target, provides)
        try:
            hint = provided_by(target, self.known, yields=kind_of(target).is_generator)
        except InjectionError:  # it need not say what it returns, as that was said
            return None
        return hint if class_of(hint) is provides else None

    def _decorate(self, decoration: Decoration) -> None:
        key = decoration.key
        fault = uncallable(decoration.target, decoration.kind)
        if fault is not None:
            self.faults.append(fault)
            return
        same = self.by_type.get(key.type, [])
        found = [each for each in same if each.name == key.name]
        if not found:
            self.faults.append(self.missing(key, f"{key} is decorated, and nothing provides it"))
        for inner in found:
            outer = Provider(
                decoration.target, decoration.kind, inner.scope, key.type, key.name, inner=inner
            )
            outer.pattern = self._pattern(decoration.target, key.type)
            same[same.index(inner)] = outer

    def providers(self) -> list[Provider]:
        """All providers, those that others decorate included."""
        found = []
        for each in (provider for same in self.by_type.values() for provider in same):
            inner: Provider | None = each
            while inner is not None:
                found.append(inner)
                inner = inner.inner
        return found

    def needs(self, provider: Provider) -> tuple[Need, ...]:
        """What a provider needs.

        Raises:
            UnresolvableHint: one of its hints cannot be resolved.
        """
        found = self._needs.get(provider)
        if found is None:
            found = self._needs[provider] = self._read(provider)
        return found

    def _read(self, provider: Provider) -> tuple[Need, ...]:
        if provider.kind in (Kind.VALUE, Kind.CONTEXT):
            return ()
        found = []
        for parameter in parameters_of(provider.target, self.known):
            if parameter.has_default and parameter.hint is inspect.Parameter.empty:
                continue
            need = need_of(parameter, provider.generic, provider.target)
            wraps = (need.key.type, class_of(need.key.type), need.whole and need.whole.type)
            if provider.inner is not None and provider.provides in wraps:
                inner = provider.inner.of(provider.provides) or provider.inner
                need = dataclasses.replace(need, bound=inner, form=Form.ONE, whole=None)
            found.append(need)
        if provider.inner is not None and not any(need.bound for need in found):
            raise UnresolvableHint(
                f"{provider.label} ({provider.where}) decorates {show(provider.provides)} and has "
                "no parameter of that type",
                f"annotate the parameter that takes what is wrapped as {show(provider.provides)}",
            )
        return tuple(found)

    def settled(self, need: Need) -> Need:
        """A need in the form in which it is met: a list that is provided itself is one object."""
        if need.whole is None:
            return need
        try:
            same = self.by_type.get(need.whole.type, ())
        except TypeError:  # not hashable, so nothing that could have been provided
            return need
        if any(each.name == need.whole.name for each in same):
            return dataclasses.replace(need, key=need.whole, form=Form.ONE, whole=None)
        return need

    @functools.cached_property
    def asks_later(self) -> bool:
        """Whether any provider may ask for more than it is given, once it is running."""
        try:
            needs = [self.settled(need) for each in self.providers() for need in self.needs(each)]
            return any(
                need.form.is_deferred
                or any(each.asks_anything for each in self.resolve(need) or ())
                for need in needs
            )
        except InjectionError:  # reported elsewhere
            return True

    def resolve(self, need: Need) -> list[Provider] | None:
        """The providers that answer a need; None if it goes without.

        Raises:
            MissingProvider: nothing provides it.
            AmbiguousProvider: several could be meant.
        """
        if need.bound is not None:
            return [need.bound]
        need = self.settled(need)
        if need.form is Form.LIST or need.form is Form.DICT:
            same = self._providing(need.key.type)
            found = [each for each in same if need.form is Form.LIST or each.name is not None]
            return found if found or not need.has_default else None
        if need.form is Form.CONSTANT:
            return None if need.has_default and isinstance(need.key.type, TypeVar) else []
        found = self._matching(need.key)
        if len(found) == 1:
            return found
        if found:
            raise self._ambiguous(need.key, found)
        if need.has_default or need.optional:
            return None
        raise self.missing(need.key)

    def find(self, key: Key) -> Provider:
        """The one provider under a key.

        Raises:
            MissingProvider: there is none.
            AmbiguousProvider: there are several.
        """
        found = self._matching(key)
        if not found:
            raise self.missing(key)
        if len(found) > 1:
            raise self._ambiguous(key, found)
        return found[0]

    def has(self, key: Key) -> bool:
        """Whether anything is provided under a key."""
        return bool(self._matching(key))

    def _providing(self, hint: Any) -> list[Provider]:
        try:
            same = self.by_type.get(hint)
        except TypeError:  # not hashable, so nothing that could have been provided
            return []
        return self._of_generic(hint) if same is None else list(same)

    def _matching(self, key: Key) -> list[Provider]:
        same = self._providing(key.type)
        found = [each for each in same if each.name == key.name]
        if not found and key.name is None and len(same) > 1:
            return same  # only under names: which of them?
        return found

    def _of_generic(self, hint: Any) -> list[Provider]:
        """Providers of a generic, made for the types that a hint says."""
        origin = typing.get_origin(hint)
        if origin is None or origin not in self.by_type:
            return []
        made = self._special.get(hint)
        if made is None:
            each_made = (each.of(hint) for each in self.by_type[origin])
            made = self._special[hint] = [each for each in each_made if each is not None]
        return made

    def width(self, provider: Provider) -> int:
        """The place of a provider's scope; a transient's is that of its narrowest need."""
        if provider.scope != TRANSIENT:
            return self.scopes.index(provider.scope) if provider.scope in self.scopes else 0
        found = self._widths.get(provider)
        if found is None:
            self._widths[provider] = 0  # in a cycle, which is reported elsewhere
            found = 0
            try:
                for need in self.needs(provider):
                    found = max([found, *map(self.width, self.resolve(need) or ())])
            except InjectionError:
                pass  # reported where the provider is checked
            self._widths[provider] = found
        return found

    def missing(self, key: Key, cause: str | None = None) -> MissingProvider:
        """The error that nothing provides a key, with what may have been meant."""
        return MissingProvider(cause or f"nothing provides {key}", to_provide(key, self.by_type))

    def _ambiguous(self, key: Key, found: list[Provider]) -> AmbiguousProvider:
        which = ", ".join(
            f"{each.label} ({each.where}){f' named {each.name!r}' if each.name else ''}"
            for each in found
        )
        return AmbiguousProvider(
            f"{key} could be any of: {which}",
            f"ask by name with Named(...), for all of them with list[{show(key.type)}], "
            "or remove one",
        )


def _names_of(providers: Iterable[tuple[Provider, bool]]) -> dict[str, Any]:
    """Types by their names, as far as a name means one type only."""
    found: dict[str, Any] = {}
    for provider, _ in providers:
        for each in (provider.provides, provider.target):
            if not isinstance(each, type):
                continue
            name = each.__name__
            found[name] = each if found.get(name, each) is each else None
    return {name: each for name, each in found.items() if each is not None}
