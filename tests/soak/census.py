"""How many objects are alive: what a leak shows in, whatever the machine or the allocator does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType
from typing import NamedTuple

__all__ = ["Census", "apart_from_what_is_there", "census"]


class Census(NamedTuple):
    """The objects that the garbage collector knows and could not free."""

    objects: int
    tasks: int
    coroutines: int

    def __sub__(self, other: Census) -> Census:
        return Census(*(mine - others for mine, others in zip(self, other, strict=True)))

    def plus(self, other: Census) -> Census:
        """Both together."""
        return Census(*(mine + others for mine, others in zip(self, other, strict=True)))


def census() -> Census:
    """Collect, and count what is left."""
    gc.collect()
    alive = gc.get_objects()
    return Census(
        objects=len(alive),
        tasks=sum(isinstance(one, asyncio.Task) for one in alive),
        coroutines=sum(isinstance(one, CoroutineType | AsyncGeneratorType) for one in alive),
    )


@contextlib.contextmanager
def apart_from_what_is_there() -> Iterator[None]:
    """Neither count nor search what is there already, which takes most of the time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
