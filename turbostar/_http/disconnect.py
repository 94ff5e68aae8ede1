"""Work, and beside it who listens for the client to go away: Starlette's task group without one.

Both run in tasks of their own, started eagerly and in Starlette's order, so that work which never
waits is over before the event loop has turned once. Who does wait is cancelled as by a cancel scope
of anyio's: again and again until it ends, but not inside of a shielded scope.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from asyncio import CancelledError, Future, current_task, get_running_loop
from collections.abc import Awaitable, Generator
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType, FunctionType, MethodType
from typing import Any

import anyio
from starlette.types import Receive

from turbostar._http.own_send import only_waits
from turbostar._stages.tasks import end_loop, may_start_eagerly, start_eagerly, start_task

__all__ = ["Race", "can_race", "until_disconnect"]

_BY_SCOPE = "Cancelled via cancel scope"


async def until_disconnect(receive: Receive, work: Awaitable[None]) -> None:
    """Await `work` until it is done, or until `receive` says that the client has gone away.

    Each runs in a task of its own, with a copy of the caller's context; `receive` is called first.
    To be called where `can_race` holds.

    Raises:
        BaseException: what the work or `receive` raises; an exception group if both do.
    """
    try:
        race = Race(receive, work)
    except (KeyboardInterrupt, SystemExit) as exc:
        with contextlib.suppress(CancelledError):
            await end_loop(exc, get_running_loop())
        raise
    if not race.is_over:
        await race.end()


#: Whether we know what is no part of anyio's interface: where it keeps a task's scopes, and by
#: which words it tells its own cancellations from others.
_knows_anyio: bool | None = None


def can_race() -> bool:
    """Whether this is a task of asyncio, and anyio of a version that we know."""
    try:
        return current_task() is not None and (_knows_anyio is True or _look_at_anyio())
    except RuntimeError:
        return False  # no event loop of asyncio


def _look_at_anyio() -> bool:
    global _knows_anyio
    if _knows_anyio is None:
        _knows_anyio = False
        with contextlib.suppress(AttributeError), anyio.CancelScope(shield=True):
            backend: Any = sys.modules.get("anyio._backends._asyncio")
            _knows_anyio = backend.is_anyio_cancellation(
                CancelledError(f"{_BY_SCOPE} 0")
            ) and _scopes_of(current_task()) == (True, False)
    return _knows_anyio


async def _await(awaitable: Awaitable[None]) -> None:
    await awaitable


@types.coroutine
def _turn() -> Generator[None, None, None]:
    """Let the event loop turn once."""
    yield


class Race:
    """Somebody's work, and who listens meanwhile for the client to go away.

    What anyio's task group does for two tasks of which one is its host, spelled out: where nobody
    waits and nobody fails, it takes a fifth of the time.
    """

    # Of the class, which makes an instance cheaper to build.
    is_over = False  # already, and without an error
    is_stopping = False  # the listener is to end because the work has
    is_cancelled = False  # somebody has cancelled the host
    met: BaseException | None = None  # what the host, on stock, meets in `receive`
    ended_by: CancelledError | None = None  # what ended the listener when the work had failed
    reason: str | None = None  # by which a scope around the host cancels
    waiter: Waiter | None = None
    working: Any = None
    listener: Any = None

    def __init__(self, receive: Receive, work: Any) -> None:
        loop = self.loop = get_running_loop()
        if type(work) is not CoroutineType:
            work = _await(work)
        if not may_start_eagerly(loop):
            self.listener = start_task(loop, self.listen(receive))
            self.working = start_task(loop, work)
            return
        is_late = type(receive) is MethodType and _may_be_late(receive)
        if not is_late:
            self.listener = start_eagerly(loop, self.listen(receive))
        working = self.working = start_eagerly(loop, work)
        if working.done() and not working.cancelled() and working.exception() is None:
            if is_late or self.listener.done():
                self.is_over = self.met is None
            else:
                self.is_stopping = True
                waits_for = self.listener._fut_waiter
                if waits_for is None or not waits_for.done():
                    self.nudge(self.listener)
        elif is_late:
            self.listener = start_eagerly(loop, self.listen(receive))

    async def listen(self, receive: Receive) -> None:
        """What the listener does: Starlette's ``listen_for_disconnect``, and end the work."""
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
            if self.is_cancelled and not self.working.done():
                self.met = CancelledError(f"{_BY_SCOPE} {id(self):x}")
        except CancelledError as exc:
            if not self.is_stopping or self.is_cancelled or not _is_by_scope(*exc.args):
                self.met = exc
            elif "errors" in self.__dict__:
                self.ended_by = exc.with_traceback(None)
        except BaseException as exc:
            self.met = exc
            self.errors.append(exc)
        if self.working is not None:
            self.press(self.working)

    @functools.cached_property
    def errors(self) -> list[BaseException]:
        """What was raised, in the order of time."""
        return []

    @functools.cached_property
    def pressed(self) -> list[Any]:
        """The tasks that are being cancelled until they end."""
        return []

    def press(self, task: Any) -> None:
        """Cancel a task at each turn of the loop, until it ends."""
        if not task.done() and task not in self.pressed:
            self.pressed.append(task)
            self.keep_pressing(task)

    def keep_pressing(self, task: Any) -> None:
        """Cancel the task now, and plan to do so again in the next turn of the loop."""
        if not task.done():
            self.nudge(task)
            self.loop.call_soon(self.keep_pressing, task)

    def nudge(self, task: Any) -> None:
        """Cancel a task, unless it is shielded, about to go on anyway, or not started yet."""
        waits_for = task._fut_waiter
        if task._must_cancel or task is current_task() or not _is_started(task):
            return
        is_shielded, is_cancelled = _scopes_of(task)
        if not is_shielded and (
            not isinstance(waits_for, Future)
            or not waits_for.done()
            # An inner scope of its own has cancelled it, and would let it go on.
            or (is_cancelled and waits_for.cancelled())
        ):
            task.cancel(self.reason or f"{_BY_SCOPE} {id(self):x}")

    def cancel_host(self, msg: Any = None) -> None:
        """Somebody cancels the host: on stock it is the one that waits in `receive`."""
        self.is_cancelled = True
        by_scope = _is_by_scope(msg)
        if self.listener.done():
            if self.met is None or (isinstance(self.met, CancelledError) and not by_scope):
                self.met = CancelledError(msg)
        elif by_scope:
            # A scope around both of them.
            self.reason = msg
            self.press(self.listener)
            self.press(self.working)
        elif _is_started(self.listener):
            self.listener.cancel(msg)
        else:
            self.loop.call_soon(self.listener.cancel, msg)

    async def end(self) -> None:
        """Wait for both tasks, and raise what is to be raised."""
        if self.is_stopping:
            # Most work that never waits comes here: what ends the listener is on its way.
            try:
                await _turn()
            except CancelledError as exc:
                self.cancel_host(*exc.args)
            if self.listener.done() and self.met is None:
                return
        self.waiter = Waiter(loop=self.loop)
        self.waiter.race = self
        if self.is_stopping:
            self.press(self.listener)
        elif self.listener.done():
            self.press(self.working)
        for task in (self.working, self.listener):
            task.add_done_callback(self.on_end)
        await self.waiter
        self.waiter = None
        met, errors = self.met, self.errors
        try:
            if errors:
                _raise_together(met, errors, sys.exception(), self.ended_by)
            if met is not None:
                context = met.__context__
                try:
                    raise met
                finally:
                    met.__context__ = context
        finally:
            # Or a traceback would hold what holds it.
            self.met = self.ended_by = self.working = self.listener = met = context = None
            del self.errors, errors

    def on_end(self, task: Any) -> None:
        """One of the two has ended."""
        if task is self.working:
            self.is_stopping = True
            if not task.cancelled() and task.exception() is not None:
                self.errors.append(task.exception())
            self.press(self.listener)
        else:
            self.press(self.working)
        waiter = self.waiter
        if self.working.done() and self.listener.done() and waiter and not waiter.done():
            waiter.set_result(None)


def _is_by_scope(msg: Any = None) -> bool:
    return isinstance(msg, str) and msg.startswith(_BY_SCOPE)


def _is_started(task: Any) -> bool:
    return getcoroutinestate(task.get_coro()) != CORO_CREATED


class Waiter(Future[None]):
    """What the host waits for; it takes a cancellation of the host, and passes it on."""

    race: Race

    def cancel(self, msg: Any = None) -> bool:
        """Pass a cancellation of the host on to the race; False if it is over already."""
        if self.done():
            return False
        self.race.cancel_host(msg)
        return True


def _raise_together(
    met: BaseException | None,
    errors: list[BaseException],
    handled: BaseException | None,
    ended_by: BaseException | None,
) -> None:
    """Raise what a task group raises, and what Starlette makes of a group of one."""
    for error in errors if handled is not None else ():
        _chain(error, error is met, handled)
    error, cause = errors[0], None
    try:
        raise BaseExceptionGroup("unhandled errors in a TaskGroup", errors) from None
    except BaseExceptionGroup as group:
        if met is not None or ended_by is not None:
            group.__context__ = met or ended_by
        if len(errors) != 1:
            raise
        cause = error.__cause__
        raise error from cause or (None if error.__suppress_context__ else error.__context__)
    finally:
        cause = met = handled = ended_by = None
        del errors, error


def _chain(error: BaseException, is_of_host: bool, handled: BaseException | None) -> None:
    """Let a chain end in what the host is handling if it is, on stock, of its own.

    Otherwise it may not, though its task may have been started while the host was handling that.
    """
    while error.__context__ is not None and error.__context__ is not handled:
        error = error.__context__
    if error is not handled:
        is_thrown_in = isinstance(error, CancelledError)
        error.__context__ = handled if is_of_host and not is_thrown_in else None


# Modules of servers whose `receive` does nothing but to wait, or to give what is there. No one can
# tell whether it was called while a stream was sent that waited for nothing.
_SERVERS = ("uvicorn.protocols.http.httptools_impl", "uvicorn.protocols.http.h11_impl")


def _may_be_late(receive: MethodType) -> bool:
    """Whether the listener need not be started before a stream that waits for nothing."""
    function, cycle = receive.__func__, receive.__self__
    if type(function) is not FunctionType:
        return False  # a wrapper of wrapt's would be found as well, for it equals what it wraps
    return (
        (only_waits(function) or (type(cycle).__module__ in _SERVERS and _is_of_server(function)))
        # Where this is set, to call it tells the client that the body is welcome.
        and not getattr(cycle, "waiting_for_100_continue", False)
    )


@functools.cache
def _is_of_server(function: Any) -> bool:
    return (
        function.__globals__.get("__name__") in _SERVERS
        and function.__code__.co_qualname == "RequestResponseCycle.receive"
        and function.__code__.co_filename == function.__globals__.get("__file__")
    )


def _scopes_of(task: Any) -> tuple[bool, bool]:
    """Whether a scope of anyio's that the task is in is shielded, and whether one is cancelled."""
    backend: Any = sys.modules.get("anyio._backends._asyncio")
    state = None if backend is None else backend._task_states.get(task)
    scope = None if state is None else state.cancel_scope
    is_cancelled = False
    while scope is not None:
        if scope.shield:
            return True, is_cancelled
        is_cancelled = is_cancelled or scope.cancel_called
        scope = scope._parent_scope
    return False, is_cancelled
