"""The container: what is provided, in which scope, and to whom."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from turbostar.di.codegen import Names
from turbostar.di.errors import (
    ContainerInUse,
    InjectionError,
    UnknownOverride,
    UnknownScope,
    WiringErrors,
)
from turbostar.di.handlers import Call, Handler, reached_singletons
from turbostar.di.injected import call_of, present
from turbostar.di.keys import Key, key_of
from turbostar.di.overrides import Override
from turbostar.di.providers import APP, TRANSIENT, Kind, Provider
from turbostar.di.registrations import Registrations
from turbostar.di.registry import Registry
from turbostar.di.runtime import GLOBALS
from turbostar.di.scopes import Scope
from turbostar.di.suggestions import to_override
from turbostar.di.teardown import close, close_sync, unwind
from turbostar.di.validation import faults_of
from turbostar.di.wiring import Wiring

if TYPE_CHECKING:
    from turbostar.di.audit import Audit

__all__ = ["Container"]

T = TypeVar("T")


class Container(Registrations):
    """What an application, a worker or a script needs, and how it is made.

    Args:
        scopes: the names of the scopes, from the widest. The first is the application's, whose
            instances are singletons; the last is what handlers run in.
    """

    def __init__(self, scopes: Sequence[str] = (APP, "request")) -> None:
        is_right = len(scopes) > 1 and scopes[0] == APP and len(set(scopes)) == len(scopes)
        if not is_right or TRANSIENT in scopes:
            raise UnknownScope(
                f"{list(scopes)} are no scopes for a container",
                'give at least two different names, the first of them "app", none "transient"',
            )
        super().__init__(scopes)
        self.handlers: list[Handler] = []
        self._wirings: list[Wiring] = []
        self.handler_faults: list[InjectionError] = []
        self._lock = threading.Lock()
        self._users = 0
        self.generation = object()  # another one whenever singletons may be others
        self._injected: dict[Any, Handler] = {}
        self._answers: dict[Any, Any] = {}
        self._root: Any = None
        self._open: Callable[[Mapping[Any, Any] | None], Scope] = self._open_first
        self.names = Names(**GLOBALS)
        own = Provider(self, Kind.VALUE, APP, Container, asks_anything=True)
        narrowest = Provider(None, Kind.CONTEXT, self.scopes[-1], Scope, asks_anything=True)
        self._enter(own, False)
        self._enter(narrowest, False)

    def _changed(self) -> None:
        """Have the wiring made anew, with what was added."""
        if len(self._wirings) > 1 or any(each.has_built for each in self._wirings):
            raise ContainerInUse(
                "a provider is added after something was built from the container",
                "add all providers when the program is imported, or use override()",
            )
        for wiring in self._wirings:
            wiring.drop()
        self._wirings.clear()
        for handler in self.handlers:
            handler.reset()
        self._switch()

    def _switch(self) -> None:
        """Have the wiring answer that is now in force; until there is one, who makes it."""
        self.generation = object()
        if self._wirings:
            wiring = self._wirings[-1]
            self._answers, self._root, self._open = wiring.resolvers[0], wiring.root, wiring.open
        else:
            self._answers, self._root, self._open = {}, None, self._open_first
        for handler in self.handlers:
            handler.switch()

    def _open_first(self, context: Mapping[Any, Any] | None) -> Scope:
        return self.wiring.open(context)

    @property
    def wiring(self) -> Wiring:
        """The wiring in force."""
        if not self._wirings:
            with self._lock:
                if not self._wirings:  # no other thread was first
                    registry = Registry(self.scopes, self._providers, self._decorations)
                    self._wirings.append(Wiring(registry, self.names))
                    self._switch()
        return self._wirings[-1]

    def _current(self) -> Wiring:
        return self.wiring

    def validate(self) -> None:
        """Look for faults: of every provider, and of every handler known so far.

        Raises:
            WiringErrors: all that were found.
        """
        roots = [each.call.root for each in self.handlers]
        faults = [*self.handler_faults, *faults_of(self.wiring.registry, roots)]
        if faults:
            count = len(faults)
            raise WiringErrors(f"{count} fault{'s' if count > 1 else ''} of the wiring", faults)

    # What is asked for

    @overload
    def get(self, key: type[T], name: str | None = None) -> Coroutine[Any, Any, T]: ...
    @overload
    def get(self, key: Any, name: str | None = None) -> Coroutine[Any, Any, Any]: ...
    def get(self, key: Any, name: str | None = None) -> Coroutine[Any, Any, Any]:
        """Return a singleton; await the result. See `Scope.get`."""
        if name is not None:
            key = Key(key, name)
        try:
            resolve = self._answers[key]
        except KeyError:
            resolve = self.wiring.resolver(key, 0, sync=False)
        return resolve(self._root)  # type: ignore[no-any-return]

    @overload
    def get_sync(self, key: type[T], name: str | None = None) -> T: ...
    @overload
    def get_sync(self, key: Any, name: str | None = None) -> Any: ...
    def get_sync(self, key: Any, name: str | None = None) -> Any:
        """Return a singleton, where nothing can be awaited. See `Scope.get_sync`."""
        return self.wiring.root.get_sync(key, name)

    def scope(self, context: Mapping[Any, Any] | None = None, *, name: str | None = None) -> Scope:
        """Make a scope, to be opened by ``async with`` (or ``with``, where all in it is sync).

        Args:
            context: values for it, by the types that `context` names.
            name: which of the container's scopes; the narrowest if left out.

        Raises:
            UnknownScope: there is no scope of that name.
        """
        if name is None:
            return self._open(context)
        return self.wiring.scope(context, name)

    def inject(
        self, function: Callable[..., Awaitable[T]]
    ) -> Callable[..., Coroutine[Any, Any, T]]:
        """Return a coroutine function that supplies what a function's parameters ask for.

        Parameters that are annotated with `Inject`, `Lazy` or `Named` are supplied, in a scope of
        the call; the function that is returned takes all others, and its signature shows these
        alone. So a background task, a job of a worker or a command asks for dependencies. Each
        function is compiled once and kept: inject those of modules and classes, not ones that are
        made for each call.

        Raises:
            ValueError: it is a generator, which begins only after its call.
        """
        if inspect.ismethod(function):
            return functools.partial(self.inject(function.__func__), function.__self__)
        handler = self._injected.get(function)
        if handler is None:
            known = self.wiring.registry.known
            handler = self.handler(call_of(function, self.names, known))
            present(handler, known)
            self._injected[function] = handler
        return handler.function  # type: ignore[no-any-return]

    async def call(self, function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """Call a function with what it asks for; see `inject`."""
        return await self.inject(function)(*args, **kwargs)

    def handler(self, call: Call) -> Handler:
        """Enter a handler; adapters call this."""
        handler = Handler(call, self.names, self._current)
        self.handlers.append(handler)
        return handler

    # Start and end

    async def start(self) -> None:
        """Build the singletons that handlers need, and compile the handlers.

        Raises:
            WiringErrors: something is wrong with the wiring.
        """
        self.validate()
        wiring = self.wiring
        for provider in reached_singletons(wiring, self.handlers):
            await wiring.owner(provider).singleton(provider).build()
        wiring.forget_compiled()
        for handler in self.handlers:
            handler.forget(wiring)
            handler.compile()

    async def close(self) -> None:
        """Tear down the singletons, the last built first. They can be built again afterwards.

        Raises:
            TeardownErrors: finalizers raised; all were run.
        """
        await close(self._forget())

    def close_sync(self) -> None:
        """Do what `close` does, for singletons that are torn down without await."""
        close_sync(self._forget())

    def _forget(self) -> list[Any]:
        """Take out the finalizers of all singletons, those below an override first."""
        opened = []
        for wiring in self._wirings:
            opened += wiring.opened
            wiring.opened.clear()
            wiring.forget_built()
            for handler in self.handlers:
                handler.forget(wiring)
        self._switch()
        return opened

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Start with an application and close with it: ``Starlette(lifespan=di.lifespan)``.

        Several applications may share a container, which is closed when the last of them ends.
        """
        for prepare in self.before_start:
            prepare()
        with self._lock:
            self._users += 1
        try:
            await self.start()
            yield
        except BaseException as exc:
            await unwind(self._left(), exc)
            raise
        await close(self._left())

    def _left(self) -> list[Any]:
        """The finalizers that wait for the application that ends: none if others go on."""
        with self._lock:
            self._users -= 1
            is_last = not self._users
        return self._forget() if is_last else []

    @functools.cached_property
    def before_start(self) -> list[Callable[[], None]]:
        """What adapters want to be called before the singletons are built."""
        return []

    # Tests, applications, reports

    def override(self, values: Mapping[Any, Any]) -> Override:
        """Put other objects in place of what is provided, while a ``with`` lasts.

        Everything that depends on them is made anew, singletons included; what does not is shared.
        Overrides nest. With ``async with``, singletons built meanwhile are torn down at its end;
        with ``with``, those whose teardown takes an await are when the container is closed.

        Args:
            values: objects by the types, or pairs of type and name, that they stand for.

        Raises:
            UnknownOverride: nothing provides one of them.
        """
        keys = {key_of(asked): value for asked, value in values.items()}
        registry = self.wiring.registry
        for key in keys:
            if not registry.has(key):
                repair = to_override(key, registry.by_type)
                raise UnknownOverride(f"{key} is overridden, and nothing provides it", repair)
        return Override(self._wirings, self.handlers, keys, self._switch)

    def install(self, app: Any, **options: Any) -> None:
        """Supply dependencies to the handlers of a Starlette or FastAPI application.

        See `turbostar.di.starlette.install`, which this calls.
        """
        from turbostar.di.starlette import install  # the web layer, where it is used

        install(self, app, **options)

    def __call__(self, key: Any, name: str | None = None) -> Callable[..., Any]:
        """What FastAPI's ``Depends`` takes: ``Depends(di(Repo))``."""
        from turbostar.di.fastapi import dependency  # FastAPI, where it is used

        return dependency(self, Key(key, name) if name else key_of(key))

    def audit(self) -> Audit:
        """What is provided, what of it is used, and by whom."""
        from turbostar.di.audit import audit

        return audit(self)

    def graph(self, form: str = "mermaid") -> str:
        """Draw who needs what: as "mermaid", "dot" or "svg"."""
        from turbostar.di.plot import draw

        return draw(self.audit(), form)

    def __repr__(self) -> str:
        return f"<Container: {len(self._providers)} providers, {len(self.handlers)} handlers>"
