"""What is due in an event loop: what a turn of the loop would bring.

Who leaves out a turn that Starlette takes must know that it would have brought nothing: no callback
that somebody has scheduled, no timeout that is over. The loops of asyncio tell by two attributes.
uvloop keeps the same two queues where Python cannot name them; but the garbage collector can, and
which of the loop's referents they are is found out by putting something into each.
"""

from __future__ import annotations

import gc
from asyncio import sleep
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

__all__ = [
    "Queues",
    "callbacks_due",
    "is_due_since",
    "newest_due",
    "queues_of",
    "take_turns",
    "turns_due",
]

#: Of more timers uvloop is not asked which is the first: they are in no order there.
_MOST_TIMERS = 64


class Queues(NamedTuple):
    """What a loop of uvloop's has to do.

    Attributes:
        ready: what is due, the newest last.
        timers: what is to be called at a time.
        when: tells that time of one of them, on the clock of `monotonic`.
    """

    ready: deque[Any]
    timers: set[Any]
    when: Callable[[Any], float]


_queues: WeakKeyDictionary[Any, Queues | None] = WeakKeyDictionary()
#: Of the loop that was asked for last: a weak reference to it, and its queues.
_latest: tuple[Callable[[], Any], Queues | None] = (lambda: None), None


def newest_due(loop: Any, queues: Queues | None) -> Any:
    """What was last put into the loop's queue of what is due; None if nothing is due.

    If it is the same as before, nothing was scheduled in the meantime. Of a loop that does not
    tell, something else each time.

    Args:
        queues: what `queues_of` says of the loop, here and below.
    """
    if queues is not None:
        ready = queues.ready
    else:
        try:
            ready = loop._ready
        except AttributeError:
            return object()
    return ready[-1] if ready else None


def is_due_since(loop: Any, queues: Queues | None, before: Any) -> bool:
    """Whether something was scheduled since `newest_due` was that, or a time has come.

    True of a loop that does not tell.
    """
    if queues is not None:
        if _has_come(queues):
            return True
        ready = queues.ready
    else:
        try:
            ready, scheduled = loop._ready, loop._scheduled
        except AttributeError:
            return True
        if scheduled and scheduled[0]._when <= loop.time():
            return True
    return bool(ready) and ready[-1] is not before


def turns_due(loop: Any, queues: Queues | None) -> int:
    """In how many turns all that is due in the loop now has had its turn.

    In none if nothing is due: a turn would bring nobody anything. One for what is to be called
    soon, and two for what is to be called at a time that has come. A loop that does not tell is
    given one.
    """
    if queues is not None:
        if _has_come(queues):
            return 2
        ready = queues.ready
    else:
        try:
            ready, scheduled = loop._ready, loop._scheduled
        except AttributeError:
            return 1
        if scheduled and scheduled[0]._when <= loop.time():
            return 2
    return 1 if ready else 0


def callbacks_due(loop: Any, queues: Queues | None) -> int:
    """How many callbacks the next turn of the loop would call; -1 if that is not known.

    It is not where a time has come, nor of a loop that does not tell.
    """
    turns = turns_due(loop, queues)
    if turns != 1:
        return -1 if turns else 0
    ready = queues.ready if queues is not None else getattr(loop, "_ready", ())
    return len(ready) or -1


async def take_turns(count: int) -> None:
    """Take so many turns of the loop."""
    for _ in range(count):
        await sleep(0)


def _has_come(queues: Queues) -> bool:
    """Whether the time of one of the timers has come, or may have."""
    timers = queues.timers
    return bool(timers) and (
        len(timers) > _MOST_TIMERS or min(map(queues.when, timers)) <= monotonic()
    )


def queues_of(loop: Any) -> Queues | None:
    """The queues of a loop of uvloop's, which is the running one; None of any other loop."""
    global _latest
    known, queues = _latest
    # fast: a fifth of what a WeakKeyDictionary takes (1 BaseHTTPMiddleware)
    if known() is loop:
        return queues
    try:
        queues = _queues[loop]
    except KeyError:
        queues = _queues[loop] = _look(loop)
    except TypeError:  # no weak reference can be made to it
        return None
    _latest = ref(loop), queues
    return queues


def _look(loop: Any) -> Queues | None:
    if not any(cls.__module__ == "uvloop.loop" for cls in type(loop).__mro__):
        return None
    soon, later = loop.call_soon(_nothing), loop.call_later(3600, _nothing)
    try:
        found = gc.get_referents(loop)
        ready = [one for one in found if type(one) is deque and one and one[-1] is soon]
        timers = [one for one in found if type(one) is set and later in one]
        when = getattr(type(later), "when", None)
        if len(ready) != 1 or len(timers) != 1 or when is None:
            return None
        # Of another clock, or of a loop that has been kept from its turns for very long, nothing
        # is known.
        if abs(when(later) - 3600 - monotonic()) > 60:
            return None
        return Queues(ready[0], timers[0], when)
    finally:
        soon.cancel()
        later.cancel()


def _nothing() -> None:
    """Is scheduled, and cancelled before its time."""
