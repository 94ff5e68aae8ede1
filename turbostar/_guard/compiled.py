"""What was compiled from objects that may change, and how it learns that they have.

Routes, mounts and routers are the user's objects: any attribute may be replaced at any time, by any
thread, and the next request must see it. Whatever is compiled from them says so *before* it reads
them; whoever changes one of them marks what was compiled from it as stale *after* the change. Marks
are never taken back. So whatever was read before a change is marked by it, and a request that finds
no mark sees what was there when it began, or something newer.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet, ref

__all__ = ["Compiled", "all_changed", "changed"]


class Compiled:
    """Something compiled, which lasts as long as what it was made from stays as it is.

    It may be kept among the attributes of a user's object: a copy or a pickle of that holds None in
    its place.

    Attributes:
        is_stale: whether something that it was made from has changed.
    """

    __slots__ = ("__weakref__", "_parts", "is_stale")

    def __init__(self) -> None:
        self.is_stale = False
        self._parts: list[int] = []
        with _lock:
            _all.add(self)

    def depend_on(self, thing: Any) -> None:
        """Become stale when a thing changes; to be called before anything of it is read."""
        with _lock:
            self._add(id(thing))

    def _add(self, part: int) -> None:
        self._parts.append(part)
        own = ref(self)  # one object, however often it is asked for
        others = _made_from.get(part, ())
        if own not in others:
            _made_from[part] = (*others, own)

    def depend_on_same(self, other: Compiled) -> None:
        """Become stale when something changes that another compiled thing was made from."""
        with _lock:
            for part in [*other._parts]:
                self._add(part)
            if other.is_stale:
                self.is_stale = True

    def __del__(self) -> None:
        with _lock:
            for part in self._parts:
                found = _made_from.get(part, ())
                others = tuple(one for one in found if one() not in (None, self))
                if others:  # never gone meanwhile: `changed` looks without the lock
                    _made_from[part] = others
                else:
                    _made_from.pop(part, None)

    def __reduce__(self) -> Any:
        return type(None), ()


_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # else a child might wait for a thread that it does not have
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
_all: WeakSet[Compiled] = WeakSet()
#: By the identity of a thing, all that was made from it. A thing that is gone may have left its
#: identity to another: that costs a compilation, and no more.
_made_from: dict[int, tuple[ref[Compiled], ...]] = {}


def changed(thing: Any) -> None:
    """Say that a thing has changed; to be called after the change."""
    if id(thing) not in _made_from:
        return
    with _lock:
        for found in _made_from.get(id(thing), ()):
            compiled = found()
            if compiled is not None:
                compiled.is_stale = True


def all_changed() -> None:
    """Say that functions of classes were replaced, on which anything may rely."""
    with _lock:
        for compiled in [*_all]:
            compiled.is_stale = True
