"""Finalizers: in which order, after what, and what becomes of errors in them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from turbostar.di import Container, GeneratorMisuse, Inject, Scope, ScopeClosed, TeardownErrors


class One: ...


class Two: ...


class Three: ...


def provide_one(di: Container, log: list[str], scope: str = "request") -> None:
    """Provide a One whose finalizer is told of."""

    @di.provide(scope=scope)
    def one() -> Iterator[One]:
        try:
            yield One()
        finally:
            log.append("one ended")


def container(log: list[str], *, failing: tuple[type, ...] = ()) -> Container:
    """Three generators, each needing the one before."""
    di = Container()

    def end(what: Any, seen: str) -> None:
        log.append(f"{type(what).__name__} {seen}")
        if type(what) in failing:
            raise LookupError(type(what).__name__)

    @di.provide
    async def one() -> AsyncIterator[One]:
        made = One()
        try:
            yield made
        except BaseException as exc:
            await asyncio.sleep(0)
            end(made, f"saw {type(exc).__name__}")
            raise
        end(made, "closed")

    @di.provide
    def two(one: One) -> Iterator[Two]:
        made = Two()
        try:
            yield made
        except BaseException as exc:
            end(made, f"saw {type(exc).__name__}")
            raise
        end(made, "closed")

    @di.provide
    async def three(two: Two) -> AsyncIterator[Three]:
        made = Three()
        try:
            yield made
        except BaseException as exc:
            await asyncio.sleep(0)
            end(made, f"saw {type(exc).__name__}")
            raise
        end(made, "closed")

    return di


def ways() -> Any:
    """By a compiled function, and by a scope object."""

    async def compiled(di: Container, body: Any) -> None:
        async def handle(three: Inject[Three]) -> None:
            await body()

        await di.call(handle)

    async def scoped(di: Container, body: Any) -> None:
        async with di.scope() as scope:
            await scope.get(Three)
            await body()

    async def mixed(di: Container, body: Any) -> None:
        async def handle(scope: Inject[Scope]) -> None:
            await scope.get(Three)
            await body()

        await di.call(handle)

    return pytest.mark.parametrize("way", [compiled, scoped, mixed])


async def nothing() -> None: ...


@ways()
def test_in_reverse_order(way: Any) -> None:
    """The last that was opened is closed first."""
    log: list[str] = []
    asyncio.run(way(container(log), nothing))
    assert log == ["Three closed", "Two closed", "One closed"]


@ways()
def test_an_exception_is_thrown_in(way: Any) -> None:
    """Each finalizer sees it, and it goes on its way."""
    log: list[str] = []

    async def fail() -> None:
        raise KeyError("handler")

    with pytest.raises(KeyError, match="handler"):
        asyncio.run(way(container(log), fail))
    assert log == ["Three saw KeyError", "Two saw KeyError", "One saw KeyError"]


@ways()
def test_failing_finalizers_stop_nothing(way: Any) -> None:
    """All run; after success their errors come in a group."""
    log: list[str] = []
    with pytest.raises(TeardownErrors) as caught:
        asyncio.run(way(container(log, failing=(Three, One)), nothing))
    assert [str(each) for each in caught.value.exceptions] == ["Three", "One"]
    assert log == ["Three closed", "Two closed", "One closed"]


@ways()
def test_failing_finalizers_hide_nothing(way: Any) -> None:
    """The first exception stays the one; the others are told with it."""
    log: list[str] = []

    async def fail() -> None:
        raise KeyError("handler")

    with pytest.raises(KeyError) as caught:
        asyncio.run(way(container(log, failing=(Three, One)), fail))
    assert "LookupError: Three, LookupError: One" in "".join(caught.value.__notes__)
    assert isinstance(caught.value.__context__, TeardownErrors)
    assert len(log) == 3


@ways()
def test_cancelled_while_waiting(way: Any) -> None:
    """A handler that is cancelled has what it uses torn down, once."""
    log: list[str] = []

    async def main() -> None:
        started = asyncio.Event()

        async def wait() -> None:
            started.set()
            await asyncio.sleep(3600)

        task = asyncio.create_task(way(container(log), wait))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["Three saw CancelledError", "Two saw CancelledError", "One saw CancelledError"]


@pytest.mark.parametrize("has_scope", [False, True])
def test_cancelled_while_something_is_made(has_scope: bool) -> None:
    """What was made is torn down once; what was being made cleans up by itself."""
    log: list[str] = []

    async def main() -> None:
        di = Container()
        reached = asyncio.Event()

        @di.provide
        def one() -> Iterator[One]:
            try:
                yield One()
            finally:
                log.append("one ended")

        @di.provide
        async def two(one: One) -> AsyncIterator[Two]:
            try:
                reached.set()
                await asyncio.sleep(3600)
                yield Two()
            finally:
                log.append("two ended")

        async def handle(two: Inject[Two]) -> None: ...

        async def ask() -> None:
            async with di.scope() as scope:
                await scope.get(Two)

        task = asyncio.create_task(ask() if has_scope else di.call(handle))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["two ended", "one ended"]


def test_scopes_leave_nothing_behind() -> None:
    """Instances and scopes can be collected when the scope has ended."""
    log: list[str] = []
    di = container(log)
    left: list[weakref.ref[Any]] = []

    async def handle(three: Inject[Three], scope: Inject[Scope]) -> None:
        left.extend([weakref.ref(three), weakref.ref(scope)])

    async def main() -> None:
        async with di.scope() as scope:
            left.append(weakref.ref(await scope.get(Two)))
            left.append(weakref.ref(scope))
        del scope
        await di.call(handle)

    asyncio.run(main())
    gc.collect()
    assert [each() for each in left] == [None] * 4


def test_an_ended_scope_answers_nothing() -> None:
    """Asking it is an error that says what to do."""
    di = container([])

    async def main() -> None:
        async with di.scope() as scope:
            pass
        with pytest.raises(ScopeClosed, match=r"di\.scope"):
            await scope.get(Three)

    asyncio.run(main())


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("is_async", [False, True])
def test_generators_yield_once(count: int, is_async: bool) -> None:
    """Never, or twice, is an error that names the function."""
    di = Container()

    def plain() -> Iterator[One]:
        for _ in range(count):
            yield One()

    async def asynchronous() -> AsyncIterator[One]:
        for _ in range(count):
            yield One()

    di.add(asynchronous if is_async else plain)

    async def handle(one: Inject[One]) -> None: ...

    with pytest.raises((GeneratorMisuse, TeardownErrors)) as caught:
        asyncio.run(di.call(handle))
    exc = caught.value
    fault = exc.exceptions[0] if isinstance(exc, TeardownErrors) else exc
    assert isinstance(fault, GeneratorMisuse)
    assert ("asynchronous" if is_async else "plain") in fault.cause


def test_singletons_are_torn_down_in_reverse() -> None:
    """With the lifespan, and built anew in the next."""
    log: list[str] = []
    di = Container()

    @di.provide(scope="app")
    async def one() -> AsyncIterator[One]:
        log.append("open one")
        yield One()
        log.append("close one")

    @di.provide(scope="app")
    def two(one: One) -> Iterator[Two]:
        log.append("open two")
        yield Two()
        log.append("close two")

    async def handle(two: Inject[Two]) -> None:
        log.append("handle")

    async def main() -> None:
        function = di.inject(handle)
        for _ in range(2):
            async with di.lifespan():
                await function()

    asyncio.run(main())
    assert log == ["open one", "open two", "handle", "close two", "close one"] * 2


def test_a_singleton_that_fails_takes_back_what_it_opened() -> None:
    """A transient that was opened for it is torn down at once; the next try starts anew."""
    log: list[str] = []
    di = Container()

    provide_one(di, log, scope="transient")

    @di.provide(scope="app")
    def two(one: One) -> Two:
        if len(log) < 1:
            raise OSError("refused")
        return Two()

    async def main() -> None:
        with pytest.raises(OSError, match="refused"):
            await di.get(Two)
        assert log == ["one ended"]
        assert isinstance(await di.get(Two), Two)
        assert log == ["one ended"]
        await di.close()
        assert log == ["one ended"] * 2

    asyncio.run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_scopes_that_were_opened_with_a_narrower_one_end_with_it(fails: bool) -> None:
    """And one that was opened by itself stays."""
    di = Container(scopes=("app", "tenant", "session", "request"))
    kept: list[Scope] = []

    class Tenant: ...

    @di.provide(scope="tenant")
    def tenant() -> Iterator[Tenant]:
        yield Tenant()

    with di.scope(name="tenant") as outer:
        try:
            with outer.scope() as session, session.scope() as request:
                kept.append(request)
                assert request.get_sync(Tenant) is outer.get_sync(Tenant)
                if fails:
                    raise KeyError
        except KeyError:
            assert fails
        assert session.parent is outer
        outer.get_sync(Tenant)
    with contextlib.suppress(KeyError), di.scope() as request:
        kept += [request, request.parent, request.parent.parent]
        request.get_sync(Tenant)
        if fails:
            raise KeyError
    for each in (*kept, session, outer):
        with pytest.raises(ScopeClosed):
            each.get_sync(Tenant)


@pytest.mark.parametrize("is_threaded", [False, True])
def test_what_is_made_when_its_scope_has_ended_is_torn_down(is_threaded: bool) -> None:
    """A task that is still making something for a scope that ended keeps nothing open."""
    log: list[str] = []
    di = Container()

    async def main() -> None:
        go_on = asyncio.Event()

        @di.provide
        async def one() -> One:
            await go_on.wait()
            return One()

        def end(exc: BaseException) -> None:
            log.append(f"two saw {type(exc).__name__}")

        if is_threaded:

            @di.provide(thread=True)
            def two_in_thread(one: One) -> Iterator[Two]:
                try:
                    yield Two()
                except BaseException as exc:
                    end(exc)
                    raise

        else:

            @di.provide
            async def two(one: One) -> AsyncIterator[Two]:
                try:
                    yield Two()
                except BaseException as exc:
                    await asyncio.sleep(0)
                    end(exc)
                    raise

        async with di.scope() as scope:
            task = asyncio.create_task(scope.get(Two))
            await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(ScopeClosed):
            await task

    asyncio.run(main())
    assert log == ["two saw ScopeClosed"]


def test_closing_meanwhile_does_not_hide_why_a_singleton_was_not_made() -> None:
    """What it had opened is torn down once, by whoever comes first."""
    log: list[str] = []
    di = Container()

    provide_one(di, log, scope="transient")

    async def main() -> None:
        @di.provide(scope="app")
        async def two(one: One) -> Two:
            await asyncio.sleep(3600)
            return Two()

        task = asyncio.create_task(di.get(Two))
        await asyncio.sleep(0)
        await di.close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["one ended"]


@ways()
def test_a_cancellation_while_an_exception_is_handled_goes_on_its_way(way: Any) -> None:
    """As from nested ``async with``, and the other finalizers are run to their end."""
    log: list[str] = []

    async def main() -> None:
        di = Container()
        reached = asyncio.Event()

        @di.provide
        async def one() -> AsyncIterator[One]:
            try:
                yield One()
            except BaseException as exc:
                await asyncio.sleep(0)
                log.append(f"one saw {type(exc).__name__}")
                raise

        @di.provide
        def two(one: One) -> Two:
            return Two()

        @di.provide
        async def three(two: Two) -> AsyncIterator[Three]:
            try:
                yield Three()
            finally:
                if not reached.is_set():
                    reached.set()
                    await asyncio.sleep(3600)

        async def fail() -> None:
            raise KeyError("job")

        async def work() -> None:
            for _ in range(2):
                with contextlib.suppress(KeyError):
                    await way(di, fail)

        task = asyncio.create_task(work())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__context__, KeyError)

    asyncio.run(main())
    assert log == ["one saw CancelledError"]


def test_an_interrupt_while_an_exception_is_handled_goes_on_its_way() -> None:
    """In scopes that are closed without await, too."""
    log: list[str] = []
    di = Container()

    provide_one(di, log)

    @di.provide
    def two(one: One) -> Iterator[Two]:
        try:
            yield Two()
        finally:
            raise KeyboardInterrupt

    def job() -> None:
        with di.scope() as scope:
            scope.get_sync(Two)
            raise KeyError("job")

    with pytest.raises(KeyboardInterrupt) as caught:
        job()
    assert isinstance(caught.value.__context__, KeyError)
    assert log == ["one ended"]
