"""Finalizers after a cancellation: run to their end, and asked whether they have dealt with it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any

__all__ = ["cancellations", "shielded"]


def cancellations() -> int:
    """How many cancellations of the running task nobody has dealt with yet.

    A task group or a timeout that has cancelled its task takes that back where it ends.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop of asyncio, so trio's
        import trio

        return int(trio.current_effective_deadline() == -math.inf)
    return 0 if task is None else task.cancelling()


async def shielded(coroutine: Coroutine[Any, Any, None]) -> None:
    """Await a coroutine, and keep cancelled scopes of anyio and trio from interrupting it.

    A provider that yielded within a cancel scope or a task group leaves that here, so no other
    may have been entered meanwhile. What the task has inherited from who started it is shielded
    from as a whole. A scope that it has entered itself may be a provider's: it shields for this
    time, or, if it is cancelled itself, something is put up within it while the task waits.
    """
    scope, is_inherited = _innermost_scope()
    if scope is None:
        await coroutine
    elif is_inherited:
        import anyio  # which is there, as somebody has entered a scope

        with anyio.CancelScope(shield=True):
            await coroutine
    elif scope.cancel_called:
        await _ShieldedWaits(coroutine, scope)
    else:
        before, scope.shield = scope.shield, True
        try:
            await coroutine
        finally:
            scope.shield = before


class _ShieldedWaits:
    """Awaits a coroutine with a shield that is up while it waits and down while it runs.

    So it can leave the scope in which it began. Where it has entered one, that one decides; and
    checkpoints, which wait for nothing, raise as they would without a shield.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], scope: Any) -> None:
        self._coroutine = coroutine
        self._scope = scope

    def __await__(self) -> Generator[Any, Any, None]:
        import anyio

        steps = self._coroutine.__await__()
        step: Callable[[], Any] = functools.partial(steps.send, None)
        while True:
            try:
                waits_for = step()
            except StopIteration:
                return
            is_bare = waits_for is None or _innermost_scope()[0] is not self._scope
            with contextlib.nullcontext() if is_bare else anyio.CancelScope(shield=True):
                try:
                    step = functools.partial(steps.send, (yield waits_for))
                except BaseException as exc:
                    step = functools.partial(steps.throw, exc)


def _innermost_scope() -> tuple[Any, bool]:
    """The cancel scope in which the running task is, if any, and whether it began in that."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop of asyncio, so trio's
        return _innermost_of_trio()
    backend = sys.modules.get("anyio._backends._asyncio")  # which enters them, if anybody does
    state = None if backend is None else backend._task_states.get(task)
    if state is None or state.cancel_scope is None:
        return None, False
    return state.cancel_scope, state.cancel_scope._host_task is not task


def _innermost_of_trio() -> tuple[Any, bool]:
    import trio

    task = trio.lowlevel.current_task()
    status, nursery = task._cancel_status, task.parent_nursery
    return status._scope, nursery is None or nursery._cancel_status is status
