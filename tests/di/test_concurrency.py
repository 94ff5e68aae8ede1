"""Many tasks, threads and event loops ask at once: each singleton is built once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from turbostar.di import AlreadyBuilding, Container, DependencyCycle, Inject, Lazy, Scope


class Engine: ...


class Pool:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


class Session: ...


def slow_container(built: list[str]) -> Container:
    di = Container()

    @di.provide(scope="app")
    async def engine() -> AsyncIterator[Engine]:
        built.append("engine")
        await asyncio.sleep(0.01)
        yield Engine()
        built.append("closed")

    di.add(Pool, scope="app")

    @di.provide
    async def session(pool: Pool) -> Session:
        built.append("session")
        await asyncio.sleep(0)
        return Session()

    return di


def test_a_thousand_tasks() -> None:
    """All get the one that the first of them builds."""
    built: list[str] = []
    di = slow_container(built)

    async def handle(pool: Inject[Pool]) -> Pool:
        return pool

    async def main() -> set[int]:
        function = di.inject(handle)
        pools = await asyncio.gather(*(function() for _ in range(1000)))
        await di.close()
        return {id(pool) for pool in pools}

    assert len(asyncio.run(main())) == 1
    assert built == ["engine", "closed"]


def test_eight_threads_with_loops_of_their_own() -> None:
    """Threads that ask at once share one instance."""
    built: list[str] = []
    di = slow_container(built)
    ready = threading.Barrier(8)

    def ask() -> int:
        async def main() -> int:
            ready.wait()
            pools = await asyncio.gather(*(di.get(Pool) for _ in range(20)))
            assert len(set(map(id, pools))) == 1
            return id(pools[0])

        return asyncio.run(main())

    with ThreadPoolExecutor(8) as threads:
        found = {future.result() for future in [threads.submit(ask) for _ in range(8)]}
    assert len(found) == 1
    assert built == ["engine"]


def test_eight_threads_without_a_loop() -> None:
    """What takes no await is built once by plain threads, too."""
    built: list[int] = []
    di = Container()
    ready = threading.Barrier(8)
    gate = threading.Event()

    @di.provide(scope="app")
    def engine() -> Engine:
        built.append(1)
        gate.wait(0.05)
        return Engine()

    def ask() -> int:
        ready.wait()
        return id(di.get_sync(Engine))

    with ThreadPoolExecutor(8) as threads:
        found = {future.result() for future in [threads.submit(ask) for _ in range(8)]}
    assert len(found) == 1
    assert built == [1]


def test_tasks_of_one_scope_share_what_it_makes() -> None:
    """Two tasks that ask one scope at once get one instance."""
    built: list[str] = []
    di = slow_container(built)

    async def main() -> None:
        async with di.scope() as scope:
            found = await asyncio.gather(*(scope.get(Session) for _ in range(10)))
            assert len(set(map(id, found))) == 1
        await di.close()

    asyncio.run(main())
    assert built.count("session") == 1


@pytest.mark.parametrize("way", ["raises", "cancelled"])
def test_the_next_builds_where_the_first_failed(way: str) -> None:
    """Who waits for a builder that fails or is cancelled builds by itself."""
    attempts: list[int] = []
    di = Container()

    @di.provide(scope="app")
    async def engine() -> Engine:
        attempts.append(1)
        await asyncio.sleep(0)
        if len(attempts) == 1:
            if way == "raises":
                raise OSError("refused")
            await asyncio.sleep(3600)
        return Engine()

    async def main() -> list[Any]:
        first = asyncio.create_task(di.get(Engine))
        await asyncio.sleep(0)
        others = [asyncio.create_task(di.get(Engine)) for _ in range(3)]
        await asyncio.sleep(0)
        if way == "cancelled":
            first.cancel()
        return await asyncio.gather(first, *others, return_exceptions=True)

    failed, *found = asyncio.run(main())
    assert isinstance(failed, OSError if way == "raises" else asyncio.CancelledError)
    assert len(set(map(id, found))) == 1
    assert len(attempts) == 2


def test_who_waits_may_be_gone() -> None:
    """The builder does not mind that the event loop of one who waited has ended."""
    di = Container()
    building, may_end = threading.Event(), threading.Event()

    @di.provide(scope="app")
    async def engine() -> Engine:
        building.set()
        while not may_end.is_set():
            await asyncio.sleep(0.001)
        return Engine()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(di.get(Engine), 0.01)

    with ThreadPoolExecutor(1) as threads:
        built = threads.submit(lambda: asyncio.run(di.get(Engine)))
        building.wait()
        asyncio.run(give_up())
        may_end.set()
        assert isinstance(built.result(), Engine)


def test_a_thread_does_not_wait_for_its_own_tasks() -> None:
    """Waiting without await for what a task of this thread builds would never end: an error."""
    di = Container()

    @di.provide(scope="app", thread=False)
    def engine() -> Engine:
        with pytest.raises(AlreadyBuilding, match="call it in a method"):
            di.get_sync(Engine)
        return Engine()

    assert isinstance(asyncio.run(di.get(Engine)), Engine)


def test_trio_shares_too() -> None:
    """Nothing is bound to asyncio."""
    trio = pytest.importorskip("trio")
    built: list[int] = []
    di = Container()

    @di.provide(scope="app")
    async def engine() -> Engine:
        built.append(1)
        await trio.sleep(0)
        return Engine()

    found: list[Engine] = []

    async def ask() -> None:
        found.append(await di.get(Engine))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(ask)

    trio.run(main)
    assert len(set(map(id, found))) == 1
    assert built == [1]


class Hen:
    def __init__(self, egg: Egg) -> None: ...


class Egg:
    def __init__(self, hen: Hen) -> None: ...


@pytest.mark.parametrize("scope", ["app", "request", "transient"])
def test_a_cycle_is_told_to_who_asks(scope: str) -> None:
    """Though nobody has called validate(): it neither waits forever nor recurses."""
    di = Container()
    di.add(Egg, scope=scope)
    di.add(Hen, scope=scope)

    async def handle(egg: Inject[Egg]) -> None: ...

    async def main() -> None:
        async with di.scope() as opened:
            with pytest.raises(DependencyCycle, match="Egg -> Hen -> Egg"):
                await opened.get(Egg)
        with pytest.raises(DependencyCycle, match="Egg -> Hen -> Egg"):
            await di.call(handle)

    for _ in range(2):
        with pytest.raises(DependencyCycle, match="Hen -> Egg -> Hen"), di.scope() as opened:
            opened.get_sync(Hen)
    asyncio.run(asyncio.wait_for(main(), 10))


async def told(waiting: Awaitable[Any], *names: str) -> None:
    """An error that names one of these, and no endless waiting."""
    with pytest.raises(AlreadyBuilding) as caught:
        await asyncio.wait_for(waiting, 10)
    assert caught.value.cause.split()[0] in names
    assert "after it was made" in caught.value.repair


@pytest.mark.parametrize("scope", ["app", "request"])
def test_what_is_lazy_may_not_be_asked_for_while_it_makes_itself(scope: str) -> None:
    """By itself, by way of others, from a task of its own, or of a scope."""
    di = Container(scopes=("app", "request", "inner"))

    @di.provide(scope=scope)
    async def engine(later: Lazy[Engine]) -> Engine:
        return await later.get()

    @di.provide(scope=scope)
    async def pool(session: Lazy[Session]) -> Pool:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(session.get())
        return Pool(task.result())  # type: ignore[arg-type]

    @di.provide(scope=scope)
    async def session(make: Callable[[], Awaitable[Pool]]) -> Session:
        await make()
        return Session()

    @di.provide(scope="request")
    async def by_scope(scope: Scope) -> Hen:
        return await scope.get(Hen)

    @di.provide(scope=scope)
    async def by_container(di: Container) -> Egg:
        return await di.get(Egg)

    async def main() -> None:
        async with di.scope(name="request") as opened:
            await told(opened.get(Engine), "engine")
            with pytest.raises(ExceptionGroup) as caught:
                await asyncio.wait_for(opened.get(Pool), 10)
            assert caught.group_contains(AlreadyBuilding)
            if scope == "app":
                await told(opened.get(Egg), "by_container")

    asyncio.run(main())


def test_a_scope_may_not_be_asked_for_what_it_is_making() -> None:
    """By the provider of that."""
    di = Container()

    @di.provide
    async def hen(scope: Scope) -> Hen:
        return await scope.get(Hen)

    @di.provide
    def egg(scope: Scope) -> Egg:
        return scope.get_sync(Egg)

    async def main() -> None:
        async with di.scope() as opened:
            await told(opened.get(Hen), "hen")
            with pytest.raises(AlreadyBuilding):
                await opened.get(Egg)
            with pytest.raises(AlreadyBuilding):
                opened.get_sync(Egg)

    asyncio.run(main())


@pytest.mark.parametrize("scope", ["app", "request"])
def test_factories_that_are_called_too_early(scope: str) -> None:
    """By what they make: told, and no endless recursion."""
    di = Container()

    @di.provide(scope=scope)
    def engine(make: Callable[[], Engine]) -> Engine:
        return make()

    async def handle(engine: Inject[Engine]) -> None: ...

    asyncio.run(told(di.call(handle), "engine"))
    for _ in range(2):
        with pytest.raises(AlreadyBuilding), di.scope() as opened:
            opened.get_sync(Engine)


@pytest.mark.parametrize("scope", ["app", "request"])
def test_two_tasks_that_wait_for_each_other(scope: str) -> None:
    """Each makes what the other one asks for lazily: one of them is told."""
    di = Container()
    begun: list[str] = []

    async def both() -> None:
        while len(begun) < 2:
            await asyncio.sleep(0)

    @di.provide(scope=scope)
    async def pool(session: Lazy[Session]) -> Pool:
        begun.append("pool")
        await both()
        try:
            await session.get()
        except AlreadyBuilding:
            begun.append("told")
        return Pool(Engine())

    @di.provide(scope=scope)
    async def session(pool: Lazy[Pool]) -> Session:
        begun.append("session")
        await both()
        try:
            await pool.get()
        except AlreadyBuilding:
            begun.append("told")
        return Session()

    async def main() -> None:
        async with di.scope() as opened, asyncio.timeout(10):
            await asyncio.gather(opened.get(Pool), opened.get(Session))
            assert begun == ["pool", "session", "told"]
            assert await opened.get(Pool) is await opened.get(Pool)

    asyncio.run(main())


def test_two_threads_that_wait_for_each_other() -> None:
    """As two tasks do."""
    di = Container()
    begun = threading.Barrier(2)
    log: list[str] = []

    @di.provide(scope="app")
    def pool(session: Callable[[], Session]) -> Pool:
        begun.wait(10)
        try:
            session()
        except AlreadyBuilding:
            log.append("told")
        return Pool(Engine())

    @di.provide(scope="app")
    def session(pool: Callable[[], Pool]) -> Session:
        begun.wait(10)
        try:
            pool()
        except AlreadyBuilding:
            log.append("told")
        return Session()

    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(di.get_sync, each) for each in (Pool, Session)]
        for future in futures:
            future.result(10)
    assert log == ["told"]


@pytest.mark.parametrize("scope", ["app", "request"])
def test_what_is_kept_lazily_is_asked_for_later(scope: str) -> None:
    """Also by a task that was started while it was made, and after a failure."""
    di = Container()
    tasks: list[asyncio.Task[Any]] = []
    failures = [OSError("refused")]

    class Worker:
        def __init__(self, pool: Lazy[Pool]) -> None:
            self.pool = pool

        async def run(self) -> Any:
            await asyncio.sleep(0.01)
            return await self.pool.get()

    @di.provide(scope=scope)
    async def pool(later: Lazy[Pool]) -> Pool:
        tasks.append(asyncio.create_task(Worker(later).run()))
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()
        pool = Pool(Engine())
        pool.later = later  # type: ignore[attr-defined]
        return pool

    async def main() -> None:
        async with di.scope() as opened:
            with pytest.raises(OSError, match="refused"):
                await opened.get(Pool)
            made = await opened.get(Pool)
            assert await made.later.get() is made  # type: ignore[attr-defined]
            assert [await each is made for each in tasks] == [True, True]

    asyncio.run(main())
