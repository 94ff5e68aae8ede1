"""Cancel scopes of anyio's, joined by a task that anyio did not start.

A task that anyio's task group starts belongs to the group's cancel scope from its first step on: it
is cancelled with it, knows its deadline, and scopes that it enters stand within. There is no public
way to have that for a task of one's own, so this module knows how anyio keeps account of it. Where
anyio is of a version that keeps it otherwise, `is_known` says so, and nobody joins.

To enter a scope and leave it is dear, and most scopes are never needed: nobody cancels them, and a
task that ends before its creator goes on cannot be cancelled. So a scope may also be put around a
task later, below all scopes that the task has entered meanwhile. Until then nobody could have told,
provided that the task was in no scope before: it would be in one without a deadline, which is not
cancelled.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from asyncio import CancelledError, Task, current_task
from typing import Any
from weakref import WeakKeyDictionary, ref

from anyio import CancelScope

__all__ = [
    "Entered",
    "enter",
    "enter_late",
    "has_scope",
    "is_by_scope",
    "is_in_scope",
    "is_known",
    "is_started_below",
    "join",
    "join_late",
    "leave",
    "now",
    "start_below",
]

_backend: Any = None
_found: bool | None = None
_late_scope: Any = None
_LAST = sys.maxsize

#: Tells the order in which scopes should have been entered: another number for each call.
now = itertools.count().__next__


def is_known() -> bool:
    """Whether tasks can `join` here; to be asked on asyncio."""
    return _found if _found is not None else _look()


def _look() -> bool:
    global _backend, _found, _late_scope
    _backend = importlib.import_module("anyio._backends._asyncio")
    try:
        scope: Any = CancelScope()
        state = _backend.TaskState(1, scope)
        _found = (
            type(_backend._task_states) is WeakKeyDictionary
            and type(vars(_backend._task_states).get("data")) is dict
            and type(scope) is _backend.CancelScope
            and type(scope._tasks) is set
            and type(scope._child_scopes) is set
            and scope._parent_scope is scope._host_task is None
            and scope._active is False
            and scope._cancelling_at_enter == 0
            and state.parent_id == 1
            and state.cancel_scope is scope
            and not _backend.is_anyio_cancellation(CancelledError("by somebody else"))
        )
        _late_scope = type("CancelScope", (_backend.CancelScope,), {"__slots__": ("began",)})
    except (AttributeError, TypeError):
        _found = False
    return _found


class Entered:
    """A context manager for a scope that has been entered before: it leaves it."""

    __slots__ = ("scope",)

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    def __enter__(self) -> None:
        pass

    def __exit__(self, *raised: Any) -> bool:
        return bool(self.scope.__exit__(*raised))


def enter() -> Any:
    """Enter a new scope, as ``with anyio.CancelScope()`` does; return it."""
    return _backend.CancelScope().__enter__()


def has_scope(task: Task[Any]) -> bool:
    """Whether a task is in a scope now."""
    # fast: past a method of Python's that looks in here (3 BaseHTTPMiddleware)
    state = _backend._task_states.data.get(ref(task))
    return state is not None and state.cancel_scope is not None


def is_started_below(task: Task[Any]) -> bool:
    """Whether a task was started by the task group of another."""
    state = _backend._task_states.get(task)
    return state is not None and state.parent_id is not None


def enter_late(task: Task[Any], began: int, cancelling: int) -> Any:
    """Let a task be in a new scope as if it had entered that earlier; return it.

    Args:
        task: which was in no scope when it should have entered this one.
        began: in the order of all scopes that are entered late, when that was; see `now`.
        cancelling: what ``task.cancelling()`` was then.
    """
    states = _backend._task_states
    if task not in states:
        states[task] = _backend.TaskState(None, None)
    state = states[task]
    inner, outer = None, state.cancel_scope
    # What others have put around the task since then stays outside.
    while outer is not None and outer._host_task is task and began < getattr(outer, "began", _LAST):
        inner, outer = outer, outer._parent_scope
    scope = _late_scope()
    scope.began = began
    scope._host_task = task
    scope._active = True
    scope._cancelling_at_enter = cancelling
    scope._parent_scope = outer
    if outer is not None:
        outer._child_scopes.add(scope)
        outer._child_scopes.discard(inner)
        outer._tasks.discard(task)
    _put_around(scope, inner, state, task)
    return scope


def _put_around(scope: Any, inner: Any, state: Any, task: Task[Any]) -> None:
    """Let a scope be the next around an inner one, or around the task itself if there is none."""
    if inner is None:
        state.cancel_scope = scope
        scope._tasks.add(task)
    else:
        inner._parent_scope = scope
        scope._child_scopes.add(inner)


def join(scope: Any, task: Task[Any]) -> None:
    """Let a task belong to a scope that has been entered, as if its task group had started it.

    It is in a scope of its own within that, as there: so whoever has entered the group's is
    cancelled before it.
    """
    start_below(scope._host_task, task)
    join_late(scope, task)


def start_below(host: Any, task: Task[Any]) -> None:
    """Let a task have been started by the task group of another, and belong to no scope as yet."""
    _backend._task_states[task] = _backend.TaskState(id(host), None)


def join_late(scope: Any, task: Task[Any]) -> None:
    """Let a task that was started so belong to a scope, outside of those it has entered since."""
    own = _backend.CancelScope()
    own._parent_scope = scope
    scope._child_scopes.add(own)
    state = _backend._task_states[task]
    inner = state.cancel_scope
    while inner is not None and inner._parent_scope is not None:
        inner = inner._parent_scope
    _put_around(own, inner, state, task)


def leave(task: Task[Any]) -> None:
    """Let a task that ends belong to no scope any more."""
    # fast: as in `has_scope` (3 BaseHTTPMiddleware)
    state = _backend._task_states.data.pop(ref(task), None)
    if state is not None and state.cancel_scope is not None:
        own = state.cancel_scope
        own._tasks.discard(task)
        if own._parent_scope is not None:
            own._parent_scope._child_scopes.discard(own)


def is_by_scope(exc: CancelledError) -> bool:
    """Whether a cancel scope of anyio's has cancelled, and nobody the task itself."""
    return bool(_backend.is_anyio_cancellation(exc))


def is_in_scope() -> bool:
    """Whether the current task is in a cancel scope, or will be; True where that is not known."""
    if not is_known():
        return True
    task: Any = current_task()
    return has_scope(task) or is_started_below(task)
