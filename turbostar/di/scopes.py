"""Scopes: where instances live that are shorter-lived than the application."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from turbostar.di.errors import ScopeClosed
from turbostar.di.keys import Key, key_of
from turbostar.di.singletons import Making, Waiters
from turbostar.di.teardown import UNBUILT, Opened, close, close_sync, unwind, unwind_sync
from turbostar.di.validation import missing_context

if TYPE_CHECKING:
    from turbostar.di.wiring import Wiring

__all__ = ["Scope", "ended", "given", "scope_class", "wait_for"]

T = TypeVar("T")
_NOTHING: Mapping[Any, Any] = {}


class Scope:
    """What lives as long as one request, one job of a worker or one run of a command.

    Nothing of the container is copied into it. Each kind of scope is a subclass, made by
    `scope_class`, that refers to the functions that the container compiled; a scope itself holds
    what these have made. Made by `Container.scope`, and opened by ``with`` or ``async with``;
    where a handler asks for a `Scope`, it gets its own.
    """

    __slots__ = ("__weakref__", "context", "failure", "opened", "values")

    # Of the subclass; `parent` is an attribute of the instance below the second kind of scope.
    _wiring: Wiring
    level: int
    resolvers: dict[Any, Any]
    sync_resolvers: dict[Any, Any]
    parent: Any
    failure: BaseException  # of a handler that shares it; unset unless that failed

    def __init__(self, context: Mapping[Any, Any] | None = None) -> None:
        self.context = context
        self.values: Any = {}
        self.opened: Opened = []

    @overload
    def get(self, key: type[T], name: str | None = None) -> Coroutine[Any, Any, T]: ...
    @overload
    def get(self, key: Any, name: str | None = None) -> Coroutine[Any, Any, Any]: ...
    def get(self, key: Any, name: str | None = None) -> Coroutine[Any, Any, Any]:
        """Return what is provided under a type; await the result.

        Args:
            key: the type, a generic such as ``Repo[User]`` included.
            name: of the provider, where there are several.

        Raises:
            InjectionError: nothing provides it, or the scope has ended.
        """
        if name is not None:
            key = Key(key, name)
        try:
            resolve = self.resolvers[key]
        except KeyError:
            resolve = self._wiring.resolver(key, self.level, sync=False)
        return resolve(self)  # type: ignore[no-any-return]

    @overload
    def get_sync(self, key: type[T], name: str | None = None) -> T: ...
    @overload
    def get_sync(self, key: Any, name: str | None = None) -> Any: ...
    def get_sync(self, key: Any, name: str | None = None) -> Any:
        """Do what `get` does, where nothing can be awaited.

        Raises:
            AsyncInSync: making it takes an await.
            InjectionError: nothing provides it, or the scope has ended.
        """
        if name is not None:
            key = Key(key, name)
        try:
            resolve = self.sync_resolvers[key]
        except KeyError:
            resolve = self._wiring.resolver(key, self.level, sync=True)
        return resolve(self)

    def scope(self, context: Mapping[Any, Any] | None = None) -> Scope:
        """Make a scope within this one, of the next narrower kind.

        Args:
            context: values for it, by their types.

        Raises:
            UnknownScope: this one is the narrowest.
        """
        return self._wiring.scope(context, None, self)

    async def __aenter__(self) -> Scope:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        opened = self.opened
        self.values, self.opened = _ENDED, _ENDED
        if opened:
            if exc is None:
                await close(opened)
            else:
                await unwind(opened, exc)

    def __enter__(self) -> Scope:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        opened = self.opened
        self.values, self.opened = _ENDED, _ENDED
        if exc is None:
            close_sync(opened)
        else:
            unwind_sync(opened, exc)


class _Ended(list[Any]):
    """Stands for what a scope holds, once it has ended."""

    def __contains__(self, name: object) -> bool:
        raise self._fault(str(name).removesuffix("_slot"))

    def append(self, generator: Any) -> None:
        generator = getattr(generator, "generator", generator)  # within one that runs in threads
        raise self._fault(generator.__qualname__.rpartition("<locals>.")[2])

    def _fault(self, name: str) -> ScopeClosed:
        return ScopeClosed(
            f"{name} is asked of a scope that has ended",
            "ask before the scope ends, or open a new one with di.scope()",
        )


_ENDED = _Ended()


def ended(scope: Scope) -> Opened:
    """End a scope, and those that were opened with it; return the finalizers that are to be run."""
    opened = scope.opened
    each: Scope | None = scope
    while each is not None and each.opened is opened:
        each.values = each.opened = _ENDED
        each = each.parent
    return opened


class _Inner(Scope):
    """A scope that may have others opened with it."""

    __slots__ = ()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        opened = ended(self)
        await (close(opened) if exc is None else unwind(opened, exc))

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        opened = ended(self)
        if exc is None:
            close_sync(opened)
        else:
            unwind_sync(opened, exc)


def scope_class(wiring: Wiring, level: int) -> Any:
    """The class of one kind of scope, with what all of its instances share."""
    members: dict[str, Any] = {
        "__slots__": ("parent",) if level > 1 else (),
        "__module__": Scope.__module__,
        "_wiring": wiring,
        "level": level,
        "resolvers": wiring.resolvers[level],
        "sync_resolvers": wiring.sync_resolvers[level],
    }
    if level <= 1:
        members["parent"] = wiring.root if level else None
    return type("Scope", (_Inner if level > 1 else Scope,), members)


def given(scope: Scope, key: Key) -> Any:
    """The value that was given to a scope, or to one around it, under a key."""
    each: Scope | None = scope
    while each is not None:
        context = each.context or _NOTHING
        found = context.get(key, UNBUILT)
        if found is UNBUILT and key.name is None:
            found = context.get(key.type, UNBUILT)
        if found is not UNBUILT:
            return found
        # Perhaps under another name of it, as that of turbostar for a class of Starlette's.
        for asked, value in context.items():
            if key_of(asked) == key:
                return value
        each = each.parent
    raise missing_context(key, {key_of(each) for each in scope.context or ()})


async def wait_for(scope: Scope, name: str, resolve: Any) -> Any:
    """Wait until another task has made something of this scope, then ask again.

    Raises:
        AlreadyBuilding: that task waits for this one.
    """
    waiters = scope.values[name]
    if waiters is None:
        waiters = scope.values[name] = Waiters()
    event = waiters.enter()
    await (waiters.wait(event) if type(waiters) is Making else event.wait())
    return await resolve(scope)
