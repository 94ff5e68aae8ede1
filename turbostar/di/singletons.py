"""Making what others ask for meanwhile: by one task, for all who wait, and never for itself."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from turbostar.di.errors import AlreadyBuilding
from turbostar.di.teardown import UNBUILT

__all__ = ["Making", "Once", "Waiters", "begin", "end", "needs_itself"]


class Waiters:
    """Who waits until somebody else has built something: tasks of any event loop, and threads."""

    __slots__ = ("_wake",)

    def __init__(self) -> None:
        self._wake: list[Callable[[], Any]] = []

    def enter(self) -> Any:
        """Put the running task among those who wait; return the event to await."""
        import anyio

        event = anyio.Event()
        self._wake.append(_waker(event))
        return event

    def enter_thread(self) -> threading.Event:
        """Put the running thread among those who wait; return the event to wait for."""
        event = threading.Event()
        self._wake.append(event.set)
        return event

    def wake(self) -> None:
        """Let all of them go on."""
        for wake in self._wake:
            wake()


def _waker(event: Any) -> Callable[[], Any]:
    """What sets an event of the running event loop, from whichever thread it is called."""
    thread = threading.get_ident()
    try:
        soon: Callable[..., Any] = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:  # no loop of asyncio, so trio's
        import trio.lowlevel

        soon = trio.lowlevel.current_trio_token().run_sync_soon

    def wake() -> None:
        if threading.get_ident() == thread:
            event.set()
        else:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and nobody waits there
                soon(event.set)

    return wake


class Making(Waiters):
    """Something is being made, in a task or a thread, for all who ask meanwhile.

    What is asked for lazily while it is being made may wait for itself, by way of others and of
    other tasks. So each making knows what it waits for.
    """

    __slots__ = ("_outer", "label", "thread", "waits_for")

    def __init__(self, label: str, outer: tuple[Making, ...]) -> None:
        super().__init__()
        self.label = label
        self.thread = threading.get_ident()
        self.waits_for: set[Making] = set()
        self._outer = outer

    async def wait(self, event: Any) -> None:
        """Wait for an event that `enter` has returned.

        Raises:
            AlreadyBuilding: it waits for whoever asks.
        """
        with self._waited_for():
            await event.wait()

    def wait_in_thread(self, event: threading.Event) -> None:
        """Do what `wait` does, without await."""
        if self.thread == threading.get_ident():
            raise needs_itself(self)
        with self._waited_for():
            event.wait()

    @contextlib.contextmanager
    def _waited_for(self) -> Iterator[None]:
        ours = _making.get()
        with _lock:
            waiting, seen = [self], {self}
            while waiting:
                each = waiting.pop()
                if each in ours:
                    raise needs_itself(self)
                waiting += each.waits_for - seen
                seen |= each.waits_for
            if ours:
                ours[-1].waits_for.add(self)
        try:
            yield
        finally:
            if ours:
                with _lock:
                    ours[-1].waits_for.discard(self)


#: What is being made in this context, the outermost first.
_making: ContextVar[tuple[Making, ...]] = ContextVar("turbostar_di_making", default=())
#: Held while somebody looks at who waits for whom.
_lock = threading.Lock()


def begin(label: str) -> Making:
    """Note that something is being made from now on, in this context, until `end`."""
    outer = _making.get()
    making = Making(label, outer)
    if outer:
        with _lock:
            outer[-1].waits_for.add(making)
    _making.set((*outer, making))
    return making


def end(making: Making) -> None:
    """Note that something was made, or could not be, and let those go on who wait for it."""
    outer = making._outer
    _making.set(outer)
    if outer:
        with _lock:
            outer[-1].waits_for.discard(making)
    making.wake()


def needs_itself(making: Making) -> AlreadyBuilding:
    """The error that something is asked for by what makes it."""
    return AlreadyBuilding(
        f"{making.label} is asked for while it is being made, by what it is made from, which would "
        "wait forever",
        f"ask for {making.label} after it was made: keep the Lazy[...] or the factory, and call it "
        "in a method",
    )


class Once:
    """Something that is built at most once, whoever asks first.

    Nobody who finds it built comes here. The lock is held for moments only, and never while
    something is built. If building fails or is cancelled, the next who waits builds it.
    """

    __slots__ = ("_lock", "_make", "_making", "label", "name", "namespace")

    def __init__(
        self, namespace: dict[str, Any], name: str, make: Callable[..., Any], label: str
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.label = label
        self._make = make
        self._lock = threading.Lock()
        self._making: Making | None = None

    async def build(self) -> Any:
        """Return it, after building it or waiting for whoever does.

        Raises:
            AlreadyBuilding: whoever builds it waits for this.
        """
        while True:
            with self._lock:
                if self.namespace[self.name] is not UNBUILT:
                    return self.namespace[self.name]
                making = self._making
                if making is None:
                    making = self._making = begin(self.label)
                    break
                event = making.enter()
            await making.wait(event)
        try:
            value = self.namespace[self.name] = await self._make(sync=False)
        finally:
            self._finished(making)
        return value

    def build_sync(self) -> Any:
        """Do what `build` does, for a singleton that takes no await.

        Raises:
            AlreadyBuilding: whoever builds it waits for this.
        """
        while True:
            with self._lock:
                if self.namespace[self.name] is not UNBUILT:
                    return self.namespace[self.name]
                making = self._making
                if making is None:
                    making = self._making = begin(self.label)
                    break
                event = making.enter_thread()
            making.wait_in_thread(event)
        try:
            value = self.namespace[self.name] = self._make(sync=True)
        finally:
            self._finished(making)
        return value

    def _finished(self, making: Making) -> None:
        with self._lock:
            self._making = None
        end(making)
