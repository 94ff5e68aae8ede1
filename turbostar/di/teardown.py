"""Running finalizers: what stands after the ``yield`` of providers that are generators."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from types import AsyncGeneratorType
from typing import Any

from turbostar.di.errors import TeardownErrors
from turbostar.di.generators import suppressed, yielded_again

__all__ = [
    "UNBUILT",
    "Opened",
    "Threaded",
    "close",
    "close_before",
    "close_sync",
    "in_thread",
    "take_back",
    "unwind",
    "unwind_sync",
]


class _Unbuilt:
    def __repr__(self) -> str:
        return "<not built>"


#: Stands for what has not been made yet.
UNBUILT: Any = _Unbuilt()

#: Generators that have yielded, in the order in which they did. They are taken off from the end.
Opened = list[Any]


class Threaded:
    """A generator that is run in worker threads."""

    __slots__ = ("generator",)

    def __init__(self, generator: Generator[Any, None, None]) -> None:
        self.generator = generator

    async def first(self) -> Any:
        """Run it to its first ``yield``.

        If the task is cancelled meanwhile, the thread is waited for, and what it has opened is torn
        down, before the cancellation goes on to what the generator needs.
        """
        lock, ended = threading.Lock(), threading.Event()

        def run() -> Any:
            if not lock.acquire(blocking=False):
                return UNBUILT  # nobody waits any more
            try:
                return next(self.generator, UNBUILT)
            finally:
                ended.set()

        try:
            return await in_thread(run)
        except BaseException as exc:
            if not lock.acquire(blocking=False):  # it has begun
                if not ended.is_set():
                    await in_thread(ended.wait)
                if inspect.getgeneratorstate(self.generator) == inspect.GEN_SUSPENDED:
                    await unwind([self], exc)
            raise


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function in a worker thread."""
    import anyio.to_thread  # only where somebody asked for threads

    return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs))


async def close(opened: Opened) -> None:
    """Run finalizers after success, the last opened first.

    Raises:
        TeardownErrors: some of them raised; all were run.
    """
    failures = await _failures(opened)
    if failures:
        raise _group(failures)


async def close_before(opened: Opened) -> None:
    """Do what `close` does, before the answer: exception handlers are found by the error's type.

    Raises:
        Exception: what one of them raised; all were run.
        TeardownErrors: several of them raised.
    """
    failures = await _failures(opened)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise _group(failures)


async def _failures(opened: Opened) -> list[Exception]:
    """Run finalizers after success; what they raised."""
    failures: list[Exception] = []
    while opened:
        generator = opened.pop()
        try:
            if type(generator) is AsyncGeneratorType:
                again = await anext(generator, UNBUILT)
            elif type(generator) is Threaded:
                again = await generator.first()
            else:
                again = next(generator, UNBUILT)
            if again is not UNBUILT:
                await _stop(generator)
        except Exception as exc:
            failures.append(exc)
        except BaseException as exc:
            await unwind(opened, exc)
            _attach(exc, failures)
            raise
    return failures


def close_sync(opened: Opened) -> None:
    """Do what `close` does, where nothing can be awaited."""
    failures: list[Exception] = []
    while opened:
        try:
            generator = opened.pop()
            if next(generator, UNBUILT) is not UNBUILT:
                generator.close()
                raise yielded_again(generator)
        except Exception as exc:
            failures.append(exc)
        except BaseException as exc:
            unwind_sync(opened, exc)
            _attach(exc, failures)
            raise
    if failures:
        raise _group(failures)


async def unwind(opened: Opened, exc: BaseException) -> None:
    """Throw an exception into generators, the last opened first; the caller raises it again.

    None of them can suppress it, and what they raise themselves is attached to it. After a
    cancellation they are shielded from the scopes that are cancelled; see `shielded`.

    Raises:
        BaseException: what takes the place of the exception, also for those generators that were
            opened before: a cancellation or an interrupt that came while they handled an error, or
            what a task group or a timeout in one of them made of its own cancellation.
    """
    if not opened:
        return
    failures: list[Exception] = []
    try:
        if isinstance(exc, Exception | GeneratorExit):
            await _throw_all(opened, exc, failures)
        else:
            await _throw_cancellation(opened, exc, failures)
    except BaseException as instead:
        await unwind(opened, instead)
        _attach(instead, failures)
        raise
    _attach(exc, failures)


async def _throw_all(opened: Opened, exc: BaseException, failures: list[Exception]) -> None:
    traceback = exc.__traceback__
    while opened:
        try:
            await _throw_into(opened.pop(), exc)
        except BaseException as raised:
            if raised is not exc:
                failures.append(_failure(raised, exc))
        finally:
            exc.__traceback__ = traceback


async def _throw_cancellation(
    opened: Opened, exc: BaseException, failures: list[Exception]
) -> None:
    from turbostar.di.shielding import cancellations, shielded  # where something was cancelled

    traceback = exc.__traceback__
    while opened:
        generator = opened.pop()
        pending = cancellations()
        try:
            await shielded(_throw_into(generator, exc))
            if cancellations() < pending:
                raise suppressed(generator)
        except BaseException as raised:
            if cancellations() < pending:
                raise
            if raised is not exc:
                failures.append(_failure(raised, exc))
        finally:
            exc.__traceback__ = traceback


async def _throw_into(generator: Any, exc: BaseException) -> None:
    try:
        if type(generator) is AsyncGeneratorType:
            await generator.athrow(exc)
        elif type(generator) is Threaded:
            await in_thread(_throw, generator.generator, exc)
        else:
            generator.throw(exc)
        await _stop(generator)
    except (StopIteration, StopAsyncIteration):
        pass


def unwind_sync(opened: Opened, exc: BaseException) -> None:
    """Do what `unwind` does, where nothing can be awaited."""
    failures: list[Exception] = []
    try:
        _throw_all_sync(opened, exc, failures)
    except BaseException as interruption:
        unwind_sync(opened, interruption)
        _attach(interruption, failures)
        raise
    _attach(exc, failures)


def _throw_all_sync(opened: Opened, exc: BaseException, failures: list[Exception]) -> None:
    traceback = exc.__traceback__
    while opened:
        generator = opened.pop()
        try:
            generator.throw(exc)
            generator.close()
            raise yielded_again(generator)
        except StopIteration:
            pass
        except BaseException as raised:
            if raised is not exc:
                failures.append(_failure(raised, exc))
        finally:
            exc.__traceback__ = traceback


def _throw(generator: Generator[Any, None, None], exc: BaseException) -> None:
    """Throw within a thread, which StopIteration must not leave."""
    try:
        generator.throw(exc)
    except StopIteration:
        generator.close()


async def _stop(
    generator: AsyncGenerator[Any, None] | Generator[Any, None, None] | Threaded,
) -> None:
    """End a generator that has yielded once more, and say so."""
    if isinstance(generator, AsyncGenerator):
        await generator.aclose()
    elif isinstance(generator, Threaded):
        if inspect.getgeneratorstate(generator.generator) == inspect.GEN_CLOSED:
            return
        generator.generator.close()
    else:
        generator.close()
    raise yielded_again(generator)


def _failure(raised: BaseException, exc: BaseException) -> Exception:
    """What a finalizer raised in the course of an exception.

    Raises:
        BaseException: a cancellation or an interrupt, in the course of an error.
    """
    if isinstance(raised, Exception):
        return raised
    if isinstance(exc, Exception):
        raise raised
    return RuntimeError(f"a finalizer raised {type(raised).__name__}")


def _group(failures: list[Exception]) -> TeardownErrors:
    count = len(failures)
    return TeardownErrors(f"{count} finalizer{'s' if count > 1 else ''} failed", failures)


def _attach(exc: BaseException, failures: list[Exception]) -> None:
    """Let an exception that goes its way tell of the finalizers that failed meanwhile."""
    if not failures:
        return
    group = _group(failures)
    names = ", ".join(f"{type(each).__name__}: {each}" for each in failures)
    exc.add_note(f"{group.message} while this was handled: {names}")
    last = exc
    seen = {id(last)}
    while last.__context__ is not None and id(last.__context__) not in seen:
        last = last.__context__
        seen.add(id(last))
    if id(group) not in seen:
        group.__context__ = None
        last.__context__ = group


def take_back(kept: Opened, opened: Opened) -> None:
    """Take what was opened in vain out of a list that is kept for longer.

    What is no more in that was torn down meanwhile, by whoever closed the container.
    """
    ours, opened[:] = opened[:], []
    for generator in ours:
        if generator in kept:
            kept.remove(generator)
            opened.append(generator)
