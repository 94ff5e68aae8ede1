"""What generated functions call: their globals, by name."""

from __future__ import annotations

import functools
from typing import Any

from turbostar.di.generators import awaited, first, generator_of, never_yielded
from turbostar.di.markers import Lazy
from turbostar.di.scopes import ended, given, wait_for
from turbostar.di.singletons import begin, end, needs_itself
from turbostar.di.teardown import (
    UNBUILT,
    Threaded,
    close,
    close_before,
    in_thread,
    take_back,
    unwind,
    unwind_sync,
)

__all__ = ["GLOBALS"]

GLOBALS: dict[str, Any] = {
    "UNBUILT": UNBUILT,
    "Lazy": Lazy,
    "Threaded": Threaded,
    "awaited": awaited,
    "begin": begin,
    "close": close,
    "close_before": close_before,
    "end": end,
    "ended": ended,
    "first": first,
    "generator_of": generator_of,
    "given": given,
    "in_thread": in_thread,
    "needs_itself": needs_itself,
    "never_yielded": never_yielded,
    "partial": functools.partial,
    "take_back": take_back,
    "unwind": unwind,
    "unwind_sync": unwind_sync,
    "wait_for": wait_for,
}
