"""Tasks that begin at once, on top of whoever starts them, where nobody could tell."""

from __future__ import annotations

import asyncio
import asyncio.base_events
import sys
import threading
from asyncio import Task, sleep
from types import FunctionType
from typing import Any

__all__ = [
    "EagerTask",
    "begun_upon_others",
    "end_loop",
    "end_loop_soon",
    "may_start_eagerly",
    "nested",
    "start_eagerly",
    "start_task",
]

#: Called with ``loop=`` and ``eager_start=True``; the class knows the latter since Python 3.12.
EagerTask: Any = Task
_CAN_START_EAGERLY = sys.version_info >= (3, 12)
#: The tasks, of whomever, that have begun on top of another and have not waited yet: when they do,
#: or end, that other goes on. Of all threads; so what is taken from it may be one turn too careful.
begun_upon_others: Any = getattr(
    asyncio.tasks, "_eager_tasks", {None} if _CAN_START_EAGERLY else set()
)
#: So many may be started one within the other: each has the frames of the others below it.
_MAX_NESTED = 10


class _Nested:
    """How many tasks have been started so and have not waited yet, in one thread."""

    __slots__ = ("tasks",)

    def __init__(self) -> None:
        self.tasks = 0


class _Here(threading.local):
    def __init__(self) -> None:
        self.nested = _Nested()


_here = _Here()


def nested() -> _Nested:
    """The count of this thread."""
    return _here.nested


#: Of each class of event loops, its own ``create_task``; something else where that was replaced.
_create_task_of: dict[type, Any] = {}


def may_start_eagerly(loop: Any, upon: int | None = None) -> bool:
    """Whether a task may begin on top of its creator, without its loop's ``create_task``.

    Not where somebody has replaced that or set a task factory, to be told of all tasks; nor while
    an exception is being handled, which would become the context of what the task raises; nor
    upon too many others, or upon one of somebody else's, whose creator has something to do.

    Args:
        upon: how many others, if that is known.
    """
    if upon is None:
        upon = _here.nested.tasks
    if (
        not _CAN_START_EAGERLY
        or upon >= _MAX_NESTED
        or upon < len(begun_upon_others)
        or sys.exception() is not None
    ):
        return False
    cls = type(loop)
    known = _create_task_of.get(cls)
    if known is None:
        known = _create_task_of[cls] = _own_create_task(cls)
    return (
        cls.create_task is known
        and "create_task" not in loop.__dict__
        and loop.get_task_factory() is None
    )


def start_eagerly(loop: Any, coroutine: Any, **options: Any) -> Any:
    """Start a task on top of its creator, or of a callback; see `may_start_eagerly`."""
    upon = _here.nested
    upon.tasks += 1
    try:
        return EagerTask(coroutine, loop=loop, eager_start=True, **options)
    finally:
        upon.tasks -= 1


#: Of the task factories that start their tasks eagerly.
_EAGER = getattr(getattr(asyncio, "eager_task_factory", None), "__code__", None)


def start_task(loop: Any, coroutine: Any, **options: Any) -> Any:
    """Start a task that begins in the loop's next turn, as anyio's task groups do.

    Also in a loop that is told to start its tasks eagerly, where anyio's do so.

    Args:
        options: what ``create_task`` takes beside the coroutine.
    """
    factory = loop.get_task_factory()
    if (
        factory is not None
        and getattr(factory, "__code__", None) is _EAGER is not None
        and _is_anyio_lazy()
    ):
        constructor = factory.__closure__[0].cell_contents
        return constructor(coroutine, loop=loop, **options)
    return loop.create_task(coroutine, **options)


def _is_anyio_lazy() -> bool:
    """Whether the task groups of the installed anyio never start a task eagerly."""
    backend = sys.modules.get("anyio._backends._asyncio")
    return hasattr(backend, "_eager_task_factory_code")


_NOBODYS = object()
_COMPILED = ("cython_function_or_method", "method_descriptor")


def _own_create_task(cls: Any) -> Any:
    function = cls.create_task
    if type(function) is FunctionType:
        is_own = (
            function.__globals__ is vars(asyncio.base_events)
            and function.__code__.co_filename == asyncio.base_events.__file__
        )
    else:
        # That of uvloop is compiled; a wrapper would be written in Python.
        is_own = cls.__module__ == "uvloop" and type(function).__name__ in _COMPILED
    return function if is_own else _NOBODYS


async def end_loop(exc: BaseException, loop: Any) -> None:
    """End the event loop by an exception, as a task of its own does that ends the process.

    Whoever has begun the task that raised it waits here, and is cancelled when the loop has ended.
    """
    loop.call_soon(_raise, exc)
    await loop.create_future()


async def end_loop_soon(exc: BaseException, loop: Any) -> None:
    """The same, but return if the loop is one that lets what is due have its turn before it ends.

    As uvloop does.
    """
    if hasattr(loop, "_ready"):
        await end_loop(exc, loop)
    loop.call_soon(_raise, exc)
    await sleep(0)


def _raise(exc: BaseException) -> None:
    raise exc
