"""A wiring: a registry, with the functions that were compiled for it and the singletons it holds.

The container has one. Each override puts another one on top, which shares with the one below all
that does not depend on what is overridden.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from turbostar.di.codegen import Names, Writer, execute, identifier
from turbostar.di.emit import Emitter
from turbostar.di.errors import InjectionError, ScopeViolation, UnknownScope
from turbostar.di.hints import Parameter, need_of
from turbostar.di.keys import Key, key_of, show
from turbostar.di.providers import APP, TRANSIENT, Form, Kind, Need, Provider
from turbostar.di.registry import Registry
from turbostar.di.scopes import Scope, scope_class
from turbostar.di.singletons import Once
from turbostar.di.teardown import UNBUILT, Opened
from turbostar.di.validation import Root, Search, is_async, needs_itself_later

__all__ = ["Wiring"]


class Wiring:
    """See the module.

    Attributes:
        registry: which provider answers which need.
        names: the globals of all generated functions, shared by all wirings of a container.
        below: the wiring that this one overrides.
        opened: the finalizers of singletons, in the order of construction.
        root: the scope of the application.
        resolvers: for each kind of scope, the functions by which it answers, by key; compiled
            when they are first asked for.
        sync_resolvers: those that take no await.
    """

    def __init__(self, registry: Registry, names: Names, below: Wiring | None = None) -> None:
        self.registry = registry
        self.names = Names(names)
        self.below = below
        self.lock = threading.RLock()
        self.opened: Opened = []
        kinds = range(len(registry.scopes))
        self.resolvers: list[dict[Any, Any]] = [{} for _ in kinds]
        self.sync_resolvers: list[dict[Any, Any]] = [{} for _ in kinds]
        self.root: Scope = scope_class(self, 0)()
        self.root.opened = self.opened
        self._classes = [scope_class(self, level) for level in range(len(registry.scopes))]
        #: Opens the narrowest scope, given its context.
        self.open: Callable[..., Scope] = (
            self._classes[1] if len(self._classes) == 2 else self.scope
        )
        self._is_own: dict[Provider, bool] = {}
        self._onces: dict[Provider, Once] = {}
        self._slots: dict[Provider, str] = {}
        self._functions: dict[tuple[Provider, int, bool], str] = {}
        self._checked: set[Provider | Root] = set()

    # Scopes

    def scope(
        self,
        context: Mapping[Any, Any] | None = None,
        name: str | None = None,
        parent: Scope | None = None,
    ) -> Scope:
        """Make a scope, and those between it and `parent` that are left out.

        These are closed with it.

        Raises:
            UnknownScope: there is none of that name, or none narrower than `parent`.
        """
        scopes = self.registry.scopes
        above = (
            0
            if parent is None
            else next(level for level, each in enumerate(self._classes) if isinstance(parent, each))
        )
        level = len(scopes) - 1 if parent is None else above + 1
        if name is not None:
            level = scopes.index(name) if name in scopes else 0
        if not above < level < len(scopes):
            raise UnknownScope(
                f"{name or 'a narrower scope'} cannot be opened within {scopes[above]!r}",
                f"the scopes are, from the widest: {', '.join(scopes)}",
            )
        opened: Opened = []
        each = self.root if parent is None else parent
        for between in range(above + 1, level + 1):
            inner = self._classes[between](context if between == level else None)
            inner.opened = opened
            if between > 1:
                inner.parent = each
            each = inner
        return each

    # Singletons

    def owner(self, provider: Provider) -> Wiring:
        """Whose singletons and functions stand for a provider: ours, or those of a wiring below."""
        if self.below is None or self._depends_on_override(provider):
            return self
        return self.below.owner(provider)

    def _depends_on_override(self, provider: Provider) -> bool:
        known = self._is_own.get(provider)
        if known is not None:
            return known
        assert self.below is not None
        self._is_own[provider] = False  # while it is found out, for what asks for itself lazily
        found = False
        for need in self.registry.needs(provider):
            ours = self.registry.resolve(need) or []
            try:
                theirs = self.below.registry.resolve(need) or []
            except InjectionError:
                theirs = []
            if ours != theirs or any(map(self._depends_on_override, ours)):
                found = True
                break
        self._is_own[provider] = found
        return found

    def singleton(self, provider: Provider) -> Once:
        """What builds a singleton of this wiring, and holds it."""
        with self.lock:
            once = self._onces.get(provider) or self._enter_singleton(provider)
        return once

    def _enter_singleton(self, provider: Provider) -> Once:
        name = self.names.reserve(identifier(provider.label).upper(), UNBUILT)
        make = functools.partial(self._build, provider)
        once = Once(self.names.namespace, name, make, provider.label)
        self._onces[provider] = once
        return once

    def is_built(self, provider: Provider) -> bool:
        """Whether a singleton of this wiring is there."""
        return self.names.namespace[self.singleton(provider).name] is not UNBUILT

    @property
    def has_built(self) -> bool:
        """Whether any singleton is there."""
        return any(map(self.is_built, self._onces))

    def suspends(self, provider: Provider) -> bool:
        """Whether making it takes an await."""
        return is_async(self.registry, provider)

    def _build(self, provider: Provider, *, sync: bool) -> Any:
        """Compile what makes a singleton, and call it."""
        with self.lock:
            emitter = Emitter(self, level=0, sync=sync)
            emitter.kept = self.names.enter(self.opened, "opened_by_app")
            local = emitter.made(provider)
            function = self._finish_builder(provider, emitter, local, sync=sync)
        return function()

    def _finish_builder(
        self, provider: Provider, emitter: Emitter, local: str, *, sync: bool
    ) -> Any:
        writer = Writer()
        name = f"build_{identifier(provider.label)}"
        with writer.block(f"{'def' if sync else 'async def'} {name}():"):
            if not emitter.opens:
                writer.add(emitter.lines)
            else:
                writer.line("opened = []")
                with writer.block("try:"):
                    writer.add(emitter.lines)
                with writer.block("except BaseException as exc:"):
                    writer.line(f"take_back({emitter.kept}, opened)")
                    writer.line("unwind_sync(opened, exc)" if sync else "await unwind(opened, exc)")
                    writer.line("raise")
            writer.line(f"return {local}")
        return execute(writer.source, name, self.names.namespace)

    def forget_built(self) -> None:
        """Drop singletons and whatever was compiled with them as constants."""
        with self.lock:
            for once in self._onces.values():
                self.names.namespace[once.name] = UNBUILT
            self.forget_compiled()

    def forget_compiled(self) -> None:
        """Have all resolvers compiled anew, when they are asked for."""
        self._functions.clear()
        for each in (*self.resolvers, *self.sync_resolvers):
            each.clear()

    def drop(self) -> None:
        """Leave nothing behind in the names of the container, once no call needs them any more."""
        self.names.drop()

    # Resolvers

    def resolver(self, asked: Any, level: int, *, sync: bool) -> Any:
        """Compile the function that gives a scope what it is asked for, and keep it.

        Raises:
            InjectionError: nothing provides it, or not in such a scope.
        """
        key = key_of(asked)
        hint = key.type
        need = need_of(Parameter("value", hint, False, False), {}, hint)
        if key.name is not None:
            whole = need.whole and Key(need.whole.type, key.name)
            need = Need("value", Key(need.key.type, key.name), need.form, whole=whole)
        need = self.registry.settled(need)
        with self.lock:
            for each in self.registry.resolve(need) or ():
                self._check_width(each, level)
                self.check(each)
            if need.form is Form.ONE and not need.optional:
                name = self.resolver_name(self.registry.find(need.key), level, sync=sync)
                function = self.names.namespace[name]
            else:
                function = self._compile_ad_hoc(need, level, sync=sync)
        (self.sync_resolvers if sync else self.resolvers)[level][asked] = function
        return function

    def check(self, asker: Provider | Root) -> None:
        """Look for faults in all that a provider or a handler needs, once.

        Raises:
            InjectionError: the first that is found.
        """
        search = Search(self.registry, self._checked)
        search.enter(asker)
        if search.faults:
            raise search.faults[0]
        self._checked = search.done

    def _check_width(self, provider: Provider, level: int) -> None:
        width = self.registry.width(provider)
        if width > level:
            scopes = self.registry.scopes
            raise ScopeViolation(
                f"{provider.label} lives in the scope {scopes[width]!r}, and is asked of "
                f"{scopes[level]!r}",
                f"open one: async with di.scope(name={scopes[width]!r}) as s: "
                f"await s.get({show(provider.provides)})",
            )

    def resolver_name(self, provider: Provider, level: int, *, sync: bool) -> str:
        """The name of the function that makes something of a scope; compiled if need be."""
        owner = self.owner(provider)
        if owner is not self:
            return owner.resolver_name(provider, level, sync=sync)
        if provider.scope in self.registry.scopes and provider.kind is not Kind.CONTEXT:
            own_level = self.registry.scopes.index(provider.scope)
        else:
            own_level = level
        key = (provider, level, sync)
        name = self._functions.get(key)
        if name is None:
            verb = "take" if sync else "get"
            name = self.names.reserve(f"{verb}_{identifier(provider.label)}")
            self._functions[key] = name
            try:
                function = self._compile_resolver(provider, name, level, own_level, sync=sync)
            except BaseException:
                del self._functions[key]
                raise
            self.names.namespace[name] = function
        return name

    def _compile_resolver(
        self, provider: Provider, name: str, level: int, own_level: int, *, sync: bool
    ) -> Any:
        emitter = Emitter(self, level=level, sync=sync, scope="scope")
        writer = Writer()
        with writer.block(f"{'def' if sync else 'async def'} {name}(scope):"):
            is_held = provider.scope not in (APP, TRANSIENT) and provider.kind is not Kind.CONTEXT
            if is_held and own_level == level:
                self._write_held(writer, emitter, provider, name)
            else:
                value = emitter.provided(provider)
                writer.add(emitter.lines)
                writer.line(f"return {value}")
        return execute(writer.source, name, self.names.namespace)

    def _write_held(self, writer: Writer, emitter: Emitter, provider: Provider, name: str) -> None:
        """The lines that look in the scope first, and put there what they make."""
        slot = self.slot(provider)
        building = f"{slot}_building"
        emitter.look_up_first = True
        value = emitter.made(provider)
        guarded = needs_itself_later(self.registry, provider)
        lines = [*emitter.lines, f"values[{slot!r}] = {value}", f"return {value}"]
        writer.line("values = scope.values")
        with writer.block(f"if {slot!r} in values:"):
            writer.line(f"return values[{slot!r}]")
        if not (emitter.awaits or guarded):
            writer.add(lines)
            return
        # What is made with an await could be asked for by a second task meanwhile, and what asks
        # for itself later could do so now.
        with writer.block(f"if {building!r} in values:"):
            waiting = f"return await wait_for(scope, {building!r}, {name})"
            writer.line(waiting if emitter.awaits else f"raise needs_itself(values[{building!r}])")
        begun = f"begin({provider.label!r})" if guarded else "None"
        writer.line(f"values[{building!r}] = {begun}")
        with writer.block("try:"):
            writer.add(lines)
        with writer.block("finally:"):
            writer.line(f"waiters = values.pop({building!r})")
            if guarded:
                writer.line("end(waiters)")
                return
            with writer.block("if waiters is not None:"):
                writer.line("waiters.wake()")

    def _compile_ad_hoc(self, need: Need, level: int, *, sync: bool) -> Any:
        emitter = Emitter(self, level=level, sync=sync, scope="scope")
        value = emitter.value(need)
        name = f"get_{identifier(need.wanted)}"
        writer = Writer()
        with writer.block(f"{'def' if sync else 'async def'} {name}(scope):"):
            writer.add(emitter.lines)
            writer.line(f"return {value}")
        return execute(writer.source, name, self.names.namespace)

    def slot(self, provider: Provider) -> str:
        """Under which name a scope holds what a provider made: the same in every wiring."""
        if self.below is not None and self.owner(provider) is not self:
            return self.below.slot(provider)
        slot = self._slots.get(provider)
        if slot is None:
            slot = self._slots[provider] = self.names.reserve(f"{identifier(provider.label)}_slot")
        return slot

    def context_key(self, key: Key) -> Key:
        """The one object for a context's key, which generated functions refer to."""
        return self._keys.setdefault(key, key)

    @functools.cached_property
    def _keys(self) -> dict[Key, Key]:
        return {} if self.below is None else self.below._keys
