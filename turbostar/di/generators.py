"""Providers that are generators: how they begin, and the errors of those that are none."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable
from sys import get_asyncgen_hooks, set_asyncgen_hooks
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from turbostar.di.errors import GeneratorMisuse
from turbostar.di.keys import label_of, place_of

__all__ = ["awaited", "first", "generator_of", "never_yielded", "suppressed", "yielded_again"]


def first(generator: AsyncGenerator[Any, None]) -> Awaitable[Any]:
    """What runs an async generator to its first ``yield``; await it.

    Event loops keep a list of all async generators, to close those that somebody forgot. Ours are
    closed by whoever opened them, and to be put on that list costs as much as all the rest of a
    small scope: so the loop is not told.
    """
    firstiter, finalizer = get_asyncgen_hooks()
    set_asyncgen_hooks(None, None)
    running = generator.asend(None)
    set_asyncgen_hooks(firstiter, finalizer)
    return running


async def awaited(result: Any) -> Any:
    """What a wrapper of an async function returned, awaited unless the wrapper did that itself."""
    return await result if inspect.isawaitable(result) else result


def generator_of(result: Any, target: Any) -> Any:
    """The generator that a wrapper of one returned: by itself, or within a context manager.

    Raises:
        GeneratorMisuse: it returned something else.
    """
    generator = getattr(result, "gen", result)  # as contextlib's context managers name it
    if isinstance(generator, AsyncGeneratorType | GeneratorType):
        return generator
    raise GeneratorMisuse(
        f"{label_of(target)} ({place_of(target)}) wraps a generator and returned "
        f"{type(result).__name__}",
        "return the generator, or provide a function that is not a wrapper of one",
    )


def never_yielded(target: Any) -> GeneratorMisuse:
    """The error that a generator ended before it provided anything."""
    return GeneratorMisuse(
        f"{label_of(target)} ({place_of(target)}) ended without a yield",
        "yield what it provides, on every way through the function",
    )


def yielded_again(generator: Any) -> GeneratorMisuse:
    return GeneratorMisuse(
        f"{_origin(generator)} yielded more than once",
        "yield once; what stands after the yield is the teardown",
    )


def suppressed(generator: Any) -> GeneratorMisuse:
    return GeneratorMisuse(
        f"{_origin(generator)} cancelled what it was provided to, and suppressed that",
        "raise an error instead, as by anyio.fail_after() in place of move_on_after()",
    )


def _origin(generator: Any) -> str:
    generator = getattr(generator, "generator", generator)
    code = getattr(generator, "ag_code", None) or generator.gi_code
    return f"{code.co_qualname} ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"
