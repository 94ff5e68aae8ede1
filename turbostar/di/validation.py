"""Looking for every fault of the wiring at once, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from turbostar.di.errors import (
    AsyncInSync,
    DependencyCycle,
    InjectionError,
    Link,
    MissingContext,
    ScopeViolation,
    UnknownScope,
    UnresolvableHint,
)
from turbostar.di.keys import Key
from turbostar.di.providers import APP, TRANSIENT, Form, Kind, Need, Provider
from turbostar.di.registry import Registry

__all__ = ["Root", "Search", "faults_of", "is_async", "missing_context", "needs_itself_later"]


class Root(NamedTuple):
    """Who asks first: a handler or any other function that dependencies are supplied to.

    Attributes:
        label: its name.
        where: its file and line.
        needs: what it asks for.
        given: the context that is given to it; None if that is not known.
        scope: where it lives; None where that is as narrow as it may be.
    """

    label: str
    where: str
    needs: tuple[Need, ...]
    given: frozenset[Key] | None = None
    scope: str | None = None


#: Who needs what, from the outermost; told in words only where there is a fault.
_Chain = tuple[tuple[Provider | Root, Need], ...]


class _Visit(NamedTuple):
    asker: Provider | Root
    chain: _Chain
    rest: Iterator[Need]


def _told(chain: _Chain) -> tuple[Link, ...]:
    return tuple(Link(each.label, each.where, need.parameter, need.wanted) for each, need in chain)


def is_async(registry: Registry, provider: Provider) -> bool:
    """Whether making it takes an await, for itself or for anything that it needs at once."""
    seen: set[Provider] = set()
    waiting = [provider]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.kind.is_async or each.thread:
            return True
        for need in map(registry.settled, registry.needs(each)):
            if not need.form.is_deferred:
                waiting += registry.resolve(need) or ()
    return False


def needs_itself_later(registry: Registry, provider: Provider) -> bool:
    """Whether what makes it might ask for it meanwhile: lazily, or of a scope that it is given."""
    seen: set[Provider] = set()
    waiting = [provider] if registry.asks_later else []
    while waiting:
        for need in registry.needs(waiting.pop()):
            for found in registry.resolve(need) or ():
                if found is provider or found.asks_anything:
                    return True
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
    return False


def faults_of(registry: Registry, roots: Iterable[Root]) -> list[InjectionError]:
    """Every fault of a registry and of those who ask it, each once.

    Roots are looked at first, so that a fault is told with the handler that it hits.
    """
    search = Search(registry)
    search.faults += registry.faults
    for root in roots:
        search.look(root, root.needs)
        if root.given is not None:
            search.faults += _missing_context(registry, root)
    # Generics of no type last: whoever needs one without saying of what comes first.
    for provider in sorted(registry.providers(), key=_is_generic):
        if provider.scope not in (*registry.scopes, TRANSIENT):
            search.faults.append(
                UnknownScope(
                    f"{provider.label} ({provider.where}) is in the scope {provider.scope!r}, "
                    "which the container does not have",
                    f"choose one of {', '.join((*registry.scopes, TRANSIENT))}, or name it in "
                    "Container(scopes=...)",
                )
            )
        search.enter(provider)
    return search.faults


def _is_generic(provider: Provider) -> bool:
    return bool(getattr(provider.provides, "__parameters__", ())) and not provider.generic


class Search:
    """A walk through providers, each entered once, without recursion.

    Args:
        registry: which provider answers which need.
        done: what was looked at before.
    """

    def __init__(self, registry: Registry, done: Iterable[Provider | Root] = ()) -> None:
        self.registry = registry
        self.faults: list[InjectionError] = []
        self.done = set(done)

    def enter(self, asker: Provider | Root) -> None:
        """Look at a provider or a handler, unless it was looked at before."""
        if asker not in self.done:
            needs = asker.needs if isinstance(asker, Root) else self._needs(asker, ())
            self.look(asker, needs)

    def _needs(self, provider: Provider, chain: _Chain) -> tuple[Need, ...]:
        try:
            return self.registry.needs(provider)
        except InjectionError as fault:
            self._add(fault, chain)
            return ()

    def look(self, asker: Provider | Root, needs: Sequence[Need]) -> None:
        """Look at what one asks for, and at all that is below."""
        stack = [_Visit(asker, (), iter(needs))]
        above: set[Provider | Root] = {asker}
        self.done.add(asker)
        while stack:
            top = stack[-1]
            need = next(top.rest, None)
            if need is None:
                stack.pop()
                above.discard(top.asker)
                continue
            need = self.registry.settled(need)
            chain = (*top.chain, (top.asker, need))
            if need.form is Form.CONSTANT and isinstance(need.key.type, TypeVar):
                self._unsaid(need, chain)
            try:
                found = self.registry.resolve(need) or []
            except InjectionError as fault:
                self._add(fault, chain)
                continue
            for each in found:
                self._check(top.asker, each, need, chain)
                if each in above:
                    if not need.form.is_deferred:
                        self._cycle(each, chain)
                elif each not in self.done:
                    self.done.add(each)
                    above.add(each)
                    stack.append(_Visit(each, chain, iter(self._needs(each, chain))))

    def _check(self, asker: Provider | Root, found: Provider, need: Need, chain: _Chain) -> None:
        registry = self.registry
        if asker.scope is not None and asker.scope != TRANSIENT:
            own = registry.scopes.index(asker.scope) if asker.scope in registry.scopes else 0
            theirs = registry.width(found)
            if theirs > own:
                self._add(
                    ScopeViolation(
                        f"{asker.label} lives in the scope {asker.scope!r} and needs "
                        f"{found.label}, which lives only in {registry.scopes[theirs]!r}",
                        f"put {asker.label} into the scope {registry.scopes[theirs]!r}, or "
                        f"{found.label} into {asker.scope!r}",
                    ),
                    chain,
                )
        if need.form is Form.FACTORY and _needs_await(registry, found):
            self._add(
                AsyncInSync(
                    f"{need.wanted} is called without await, and making {found.label} takes one",
                    f"ask for Callable[[], Awaitable[{need.key}]] or Lazy[{need.key}]",
                ),
                chain,
            )

    def _unsaid(self, need: Need, chain: _Chain) -> None:
        first = chain[0][0]
        if need.has_default or (isinstance(first, Provider) and _is_generic(first)):
            return
        asker = chain[-1][0].label
        self._add(
            UnresolvableHint(
                f"{asker} needs {need.parameter}: type[{need.key}], and nobody says which type "
                "that is",
                f"ask for {asker}[...] of a type, or give the parameter a default",
            ),
            chain,
        )

    def _cycle(self, again: Provider, chain: _Chain) -> None:
        start = [each for each, _ in chain].index(again)
        path = " -> ".join([each.label for each, _ in chain[start:]] + [again.label])
        self._add(
            DependencyCycle(
                f"a cycle: {path}",
                "take what both need into a third provider, or ask for one of them as Lazy[...]",
            ),
            chain[start:],
        )

    def _add(self, fault: InjectionError, chain: _Chain) -> None:
        if not fault.chain:
            fault.chain = _told(chain)
        self.faults.append(fault)


def _needs_await(registry: Registry, provider: Provider) -> bool:
    try:
        return is_async(registry, provider)
    except InjectionError:
        return False  # reported where the provider is checked


def _missing_context(registry: Registry, root: Root) -> list[InjectionError]:
    """Context that a root needs, if only far down, and is not given."""
    assert root.given is not None
    faults: list[InjectionError] = []
    seen: set[Provider] = set()
    waiting: list[tuple[Provider, tuple[Link, ...]]] = []

    def ask(needs: Iterable[Need], who: str, where: str, chain: tuple[Link, ...]) -> None:
        for need in needs:
            step = (*chain, Link(who, where, need.parameter, need.wanted))
            waiting.extend((each, step) for each in registry.resolve(need) or ())

    try:
        ask(root.needs, root.label, root.where, ())
        while waiting:
            each, chain = waiting.pop()
            if each in seen or each.scope == APP:
                continue
            seen.add(each)
            key = Key(each.provides, each.name)
            if each.kind is Kind.CONTEXT and key not in root.given:
                faults.append(missing_context(key, root.given, chain))
            ask(registry.needs(each), each.label, each.where, chain)
    except InjectionError:
        pass  # reported already
    return faults


def missing_context(key: Key, given: Iterable[Key], chain: Sequence[Link] = ()) -> MissingContext:
    """The error that a scope was not given a value."""
    listed = ", ".join(sorted(map(str, given))) or "nothing"
    return MissingContext(
        f"{key} is given to each scope, and not to this one, which has {listed}",
        f"open it with di.scope({{{key}: ...}}), or do not use here what needs it",
        chain,
    )
