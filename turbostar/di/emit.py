"""Writing the lines that make dependencies, for the functions that the compiler generates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from turbostar.di.codegen import identifier
from turbostar.di.errors import AsyncInSync
from turbostar.di.keys import Key
from turbostar.di.providers import APP, TRANSIENT, Form, Kind, Need, Provider, is_indirect
from turbostar.di.scopes import Scope
from turbostar.di.validation import missing_context

if TYPE_CHECKING:
    from turbostar.di.wiring import Wiring

__all__ = ["Emitter", "NeedsScope"]


class NeedsScope(Exception):
    """Something wants a scope object, and the function has to make one. Stays in the compiler."""


class Emitter:
    """Lines that make what is asked for, each after what it needs.

    Without a scope object (*flat*), what lives in scopes is held by local variables. With one, it
    is held by the scope, and made by one generated function for each provider.

    Attributes:
        lines: what was written so far.
        opens: a generator was started, whose finalizer is to be run.
        awaits: something is awaited.
        look_up_first: the scope's values are in a local variable, and are looked at before a call.
        kept: a second list to which finalizers are added.
    """

    def __init__(
        self,
        wiring: Wiring,
        *,
        level: int,
        sync: bool = False,
        scope: str | None = None,
        given: Mapping[Key, str] | None = None,
        taken: set[str] | None = None,
    ) -> None:
        self.wiring = wiring
        self.registry = wiring.registry
        self.names = wiring.names
        self.level = level
        self.sync = sync
        self.scope = scope
        self.given = given
        self.lines: list[str] = []
        self.opens = False
        self.awaits = False
        self.look_up_first = False
        self.kept: str | None = None
        self._opened = "opened" if scope is None else f"{scope}.opened"
        self._taken = set(taken or ())
        self._locals: dict[Provider, str] = {}

    def value(self, need: Need) -> str | None:
        """The expression for what a need asks for; None if it is left out."""
        need = self.registry.settled(need)
        found = self.registry.resolve(need)
        if found is None:
            return None if need.has_default else "None"
        if need.form is Form.CONSTANT:
            return self.names.enter(need.key.type, identifier(str(need.key)))
        if need.form is Form.LIST:
            return f"[{', '.join(map(self.provided, found))}]"
        if need.form is Form.DICT:
            return "{" + ", ".join(f"{each.name!r}: {self.provided(each)}" for each in found) + "}"
        (provider,) = found
        return self._deferred(need, provider) if need.form.is_deferred else self.provided(provider)

    def _deferred(self, need: Need, provider: Provider) -> str:
        scope = self.scope
        if scope is None:
            if provider.scope != APP:
                raise NeedsScope
            scope = self.names.enter(self.wiring.root, "root")
        sync = need.form is Form.FACTORY
        resolver = self.wiring.resolver_name(provider, self.level, sync=sync)
        maker = "Lazy" if need.form is Form.LAZY else "partial"
        return f"{maker}({resolver}, {scope})"

    def arguments(self, needs: tuple[Need, ...]) -> str:
        """What a provider is called with."""
        written = []
        by_name = False
        for need in needs:
            value = self.value(need)
            if value is None:
                by_name = True
            elif by_name:
                written.append(f"{need.parameter}={value}")
            else:
                positional = need.by_position or not need.by_name
                written.append(value if positional else f"{need.parameter}={value}")
        return ", ".join(written)

    def provided(self, provider: Provider) -> str:
        """The expression for what a provider provides, once it is there."""
        if provider.kind is Kind.VALUE:
            return self.names.enter(provider.target, identifier(provider.label))
        if provider.scope == TRANSIENT:
            return self.made(provider)
        known = self._locals.get(provider)
        if known is None:
            known = self._locals[provider] = self._held(provider)
        return known

    def _held(self, provider: Provider) -> str:
        if provider.kind is Kind.CONTEXT:
            return self._context(provider)
        if provider.scope == APP:
            return self._singleton(provider)
        if self.scope is None:
            return self.made(provider)
        return self._from_scope(provider)

    def _context(self, provider: Provider) -> str:
        if provider.provides is Scope:
            if self.scope is None:
                raise NeedsScope
            return self.scope
        key = Key(provider.provides, provider.name)
        if self.given is not None and key in self.given:
            return self.given[key]
        if self.scope is None:
            raise missing_context(key, self.given or ())
        local = self._local(provider)
        constant = self.names.enter(self.wiring.context_key(key), f"key_{identifier(str(key))}")
        self.lines.append(f"{local} = given({self.scope}, {constant})")
        return local

    def _singleton(self, provider: Provider) -> str:
        owner = self.wiring.owner(provider)
        once = owner.singleton(provider)
        if owner.is_built(provider):
            return once.name
        build = self.names.enter(once, f"build_{identifier(provider.label)}")
        local = self._local(provider)
        takes_await = self.wiring.suspends(provider)
        if takes_await and self.sync:
            raise self._async_in_sync(provider)
        call = f"await {build}.build()" if not self.sync else f"{build}.build_sync()"
        self.awaits = self.awaits or not self.sync
        self.lines.append(f"{local} = {once.name} if {once.name} is not UNBUILT else {call}")
        return local

    def _from_scope(self, provider: Provider) -> str:
        local = self._local(provider)
        level = self.registry.scopes.index(provider.scope)
        scope = f"{self.scope}{'.parent' * (self.level - level)}"
        takes_await = self.wiring.suspends(provider)
        if takes_await and self.sync:
            raise self._async_in_sync(provider)
        resolver = self.wiring.resolver_name(provider, level, sync=not takes_await)
        call = f"await {resolver}({scope})" if takes_await else f"{resolver}({scope})"
        self.awaits = self.awaits or takes_await
        if self.look_up_first:
            slot = self.wiring.slot(provider)
            values = "values" if scope == "scope" else f"{scope}.values"
            call = f"{values}[{slot!r}] if {slot!r} in {values} else {call}"
        self.lines.append(f"{local} = {call}")
        return local

    def made(self, provider: Provider) -> str:
        """Write the call that makes something anew; return the variable that holds it."""
        needs = self.registry.needs(provider)
        arguments = self.arguments(needs)
        target = self.names.enter(provider.target, provider.label.rpartition(".")[2])
        local = self._local(provider)
        if self.sync and (provider.kind.is_async):
            raise self._async_in_sync(provider)
        threaded = provider.thread and not self.sync
        if provider.kind.is_generator:
            self._start(provider, local, target, arguments, threaded)
        elif threaded:
            separator = ", " if arguments else ""
            self.lines.append(f"{local} = await in_thread({target}{separator}{arguments})")
            self.awaits = True
        else:
            call = f"{target}({arguments})"
            is_coroutine = provider.kind is Kind.COROUTINE
            if is_coroutine and is_indirect(provider.target):
                call = f"awaited({call})"
            self.awaits = self.awaits or is_coroutine
            self.lines.append(f"{local} = {'await ' if is_coroutine else ''}{call}")
        return local

    def _start(
        self, provider: Provider, local: str, target: str, arguments: str, threaded: bool
    ) -> None:
        generator = self.names.local(f"{local}_generator", self._taken)
        call = f"{target}({arguments})"
        if is_indirect(provider.target):
            call = f"generator_of({call}, {target})"
        self.lines.append(f"{generator} = {f'Threaded({call})' if threaded else call}")
        never = f"raise never_yielded({target})"
        if provider.kind is Kind.ASYNC_GENERATOR:
            self.lines += [
                "try:",
                f"    {local} = await first({generator})",
                "except StopAsyncIteration:",
                f"    {never} from None",
            ]
        elif threaded:
            first = f"await {generator}.first()"
        else:
            first = f"next({generator}, UNBUILT)"
        self.awaits = self.awaits or threaded or provider.kind.is_async
        self.opens = True
        if provider.kind is not Kind.ASYNC_GENERATOR:
            self.lines += [f"{local} = {first}", f"if {local} is UNBUILT:", f"    {never}"]
        self._keep(generator)
        if self.kept is not None:
            self.lines.append(f"{self.kept}.append({generator})")

    def _keep(self, generator: str) -> None:
        """Write the lines that leave a generator's finalizer to whoever closes the scope."""
        keep = f"{self._opened}.append({generator})"
        if self.scope is None or self.sync or not self.awaits:
            self.lines.append(keep)
            return
        self.lines += [
            "try:",
            f"    {keep}",
            "except BaseException as exc:  # the scope has ended meanwhile",
            f"    await unwind([{generator}], exc)",
            "    raise",
        ]

    def _local(self, provider: Provider) -> str:
        return self.names.local(identifier(provider.label), self._taken)

    def _async_in_sync(self, provider: Provider) -> AsyncInSync:
        return AsyncInSync(
            f"making {provider.label} ({provider.where}) takes an await, and nobody awaits here",
            "use await get() within async with di.scope(), or build it in the lifespan first",
        )
