"""`install` and `uninstall`: acceleration of Starlette's own classes, in place.

Methods are replaced and classes kept, so that it makes no difference what was imported, subclassed
or built before: ``type(app) is starlette.applications.Starlette`` holds, and so do pickles.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, NamedTuple

from turbostar._attach.kill_switch import DISABLED, VARIABLE
from turbostar._guard.compiled import all_changed
from turbostar._guard.sources import may
from turbostar._guard.swapped import present
from turbostar._guard.table import TABLE, Acceleration

__all__ = ["install", "installed", "uninstall"]

logger = logging.getLogger("turbostar")

_ABSENT: Any = object()
_lock = threading.RLock()
_patches: dict[str, _Patch] = {}


class _Patch(NamedTuple):
    owner: type
    name: str
    original: Any
    replacement: Any


def install() -> None:
    """Accelerate ``starlette.*`` in this process, in place.

    Call it at any time: before or after the application, FastAPI or a subclass of a third party is
    imported. Calling it again changes nothing. Where a method of Starlette has been replaced by
    somebody else, or differs from those that turbostar knows, that part stays as it is and the
    logger ``turbostar`` says so. With ``TURBOSTAR_DISABLE=1`` in the environment nothing changes.
    """
    if DISABLED:
        logger.info("%s is set: Starlette stays stock", VARIABLE)
        return
    with _lock:
        # All of our modules are imported, and see Starlette's originals, before any is replaced.
        waiting = [
            (entry, present(entry))
            for entry in TABLE
            if entry.target not in _patches and not entry.is_inherited and may(entry)
        ]
        for entry, replacement in waiting:
            _patches[entry.target] = _apply(entry, replacement)
        all_changed()  # routes may have changed while nobody watched them


def uninstall() -> None:
    """Undo `install`: put every original back.

    Where somebody has patched one of our functions since, their patch is left alone, for it would
    be lost otherwise; the logger ``turbostar`` says so.
    """
    with _lock:
        for target, patch in reversed(_patches.items()):
            if vars(patch.owner).get(patch.name) is not patch.replacement:
                logger.warning("%s has been patched since install(): left as it is", target)
            elif patch.original is _ABSENT:
                delattr(patch.owner, patch.name)
            else:
                setattr(patch.owner, patch.name, patch.original)
        _patches.clear()
        all_changed()


def installed() -> bool:
    """Whether `install` is in force."""
    return bool(_patches)


def _apply(entry: Acceleration, replacement: Any) -> _Patch:
    owner = entry.owner
    patch = _Patch(owner, entry.name, vars(owner).get(entry.name, _ABSENT), replacement)
    setattr(owner, patch.name, patch.replacement)
    return patch
