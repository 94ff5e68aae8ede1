"""Overrides: what they reach, what they share, and what is left when they end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from turbostar.di import Container, Inject, Lazy, UnknownOverride
from turbostar.di.handlers import compiled


class Clock: ...


class Fixed(Clock): ...


class Engine: ...


class Pool:
    def __init__(self, clock: Clock, engine: Engine) -> None:
        self.clock, self.engine = clock, engine


class Repo:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


@pytest.fixture
def di() -> Container:
    container = Container()
    for each in (Clock, Engine, Pool):
        container.add(each, scope="app")
    container.add(Repo)
    return container


def test_singletons_that_depend_are_made_anew(di: Container) -> None:
    """The others are shared, and all are back afterwards."""

    async def handle(repo: Inject[Repo]) -> Pool:
        return repo.pool

    async def main() -> None:
        before = await di.call(handle)
        fixed = Fixed()
        with di.override({Clock: fixed}):
            within = await di.call(handle)
            assert within is await di.get(Pool)
            assert within.clock is fixed
            assert within.engine is before.engine
            async with di.scope() as scope:
                assert (await scope.get(Repo)).pool is within
        assert await di.call(handle) is before

    asyncio.run(main())


def test_what_does_not_depend_keeps_its_code(di: Container) -> None:
    """A handler that is out of reach is compiled to the same."""

    async def handle(engine: Inject[Engine]) -> Engine:
        return engine

    async def main() -> None:
        before = await di.call(handle)
        with di.override({Clock: Fixed()}):
            assert await di.call(handle) is before

    asyncio.run(main())


def test_lazies_reach_overrides(di: Container) -> None:
    """What is asked for later is what is in force when its asker was made."""

    async def handle(clock: Inject[Lazy[Clock]]) -> Clock:
        return await clock.get()

    async def main() -> None:
        with di.override({Clock: Fixed()}):
            assert type(await di.call(handle)) is Fixed
        assert type(await di.call(handle)) is Clock

    asyncio.run(main())


def test_names_and_generics_can_be_overridden() -> None:
    """By pairs of type and name, and by the type as it is asked for."""
    di = Container()
    di.value("a", name="one")
    di.value("b", name="two")
    with di.override({(str, "one"): "c"}):
        assert [di.get_sync(str, name) for name in ("one", "two")] == ["c", "b"]
        assert di.get_sync(list[str]) == ["b", "c"]
    assert di.get_sync(list[str]) == ["a", "b"]


def test_an_unknown_type_is_refused(di: Container) -> None:
    """With what may have been meant."""
    with pytest.raises(UnknownOverride, match="Fixed"):
        di.override({Fixed: Fixed()})


def test_what_is_meant_is_named() -> None:
    """The type under which a class is provided, the name of what has one, or what is near."""

    class Disk(Fixed): ...

    di = Container()
    di.add(Disk, provides=Fixed)
    di.value("a", name="one")
    with pytest.raises(UnknownOverride, match="override Fixed, under which Disk is provided"):
        di.override({Disk: Disk()})
    with pytest.raises(UnknownOverride, match=r"by type and name, as \(str, 'one'\)"):
        di.override({str: "b"})
    Fixes = type("Fixes", (), {})
    with pytest.raises(UnknownOverride, match=r"did you mean Fixed\?"):
        di.override({Fixes: Fixes()})


@pytest.mark.parametrize("is_async", [False, True])
def test_what_is_built_within_is_torn_down(is_async: bool) -> None:
    """At the end of the override, as far as that can be done; the rest with the container."""
    log: list[str] = []
    di = Container()
    di.add(Clock, scope="app")

    @di.provide(scope="app")
    def engine(clock: Clock) -> Iterator[Engine]:
        yield Engine()
        log.append(f"sync {type(clock).__name__}")

    @di.provide(scope="app")
    async def pool(clock: Clock, engine: Engine) -> AsyncIterator[Pool]:
        yield Pool(clock, engine)
        log.append(f"async {type(clock).__name__}")

    async def main() -> None:
        await di.get(Pool)
        override = di.override({Clock: Fixed()})
        if is_async:
            async with override:
                await di.get(Pool)
        else:
            with override:
                await di.get(Pool)
        assert log == (["async Fixed", "sync Fixed"] if is_async else ["sync Fixed"])
        await di.close()

    asyncio.run(main())
    assert sorted(log) == sorted(["async Fixed", "sync Fixed", "async Clock", "sync Clock"])


def test_overrides_leave_nothing_behind(di: Container) -> None:
    """The names that were generated for them are gone."""

    async def handle(repo: Inject[Repo]) -> None: ...

    async def once() -> None:
        with di.override({Clock: Fixed()}):
            await di.call(handle)
            async with di.scope() as scope:
                await scope.get(Repo)

    asyncio.run(di.call(handle))
    asyncio.run(once())
    before = len(di.names.namespace)
    for _ in range(5):
        asyncio.run(once())
    assert len(di.names.namespace) == before


def test_they_end_in_reverse(di: Container) -> None:
    """Anything else is a mistake."""
    first, second = di.override({Clock: Fixed()}), di.override({Clock: Fixed()})
    first.__enter__()
    second.__enter__()
    with pytest.raises(RuntimeError, match="last begun first"):
        first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    first.__exit__(None, None, None)


PROGRAM = """
from turbostar.di import Container

di = Container()
di.value("real")


def test_one(di_override):
    di_override(di, {str: "fake"})
    di_override(di, {str: "faker"})
    assert di.get_sync(str) == "faker"


def test_two():
    assert di.get_sync(str) == "real"
"""


def test_the_fixture_lasts_as_long_as_the_test(tmp_path: Path) -> None:
    """`di_override` undoes at the end what it did."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["turbostar.di.testing"]\n')
    (tmp_path / "test_program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_an_override_that_ends_while_a_handler_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by another thread: what was compiled for it does not stay."""

    class Setting: ...

    real, fake = Setting(), Setting()
    di = Container()
    di.value(real)

    @di.inject
    async def handle(setting: Inject[Setting]) -> Setting:
        return setting

    override = contextlib.ExitStack()

    def compiled_and_ended(*args: Any) -> Any:
        made: Any = compiled(*args)
        override.close()
        return made

    override.enter_context(di.override({Setting: fake}))
    with monkeypatch.context() as patch:
        patch.setattr("turbostar.di.handlers.compiled", compiled_and_ended)
        di.handlers[0].compile()
    assert asyncio.run(handle()) is real


def test_a_call_that_began_in_an_override_ends_as_it_began() -> None:
    """Though the override has ended meanwhile; nothing of it is left after that."""

    class Setting: ...

    class Early: ...

    class Late:
        def __init__(self, setting: Setting) -> None:
            self.setting = setting

    real, fake = Setting(), Setting()
    di = Container()
    di.value(real)
    di.add(Late)

    async def main() -> None:
        go_on = asyncio.Event()

        @di.provide
        async def early() -> Early:
            await go_on.wait()
            return Early()

        @di.inject
        async def handle(early: Inject[Early], late: Inject[Late]) -> Setting:
            return late.setting

        await di.start()
        before = set(di.names.namespace)
        with di.override({Setting: fake}):
            task = asyncio.create_task(handle())
            await asyncio.sleep(0)
        go_on.set()
        assert await handle() is real
        assert await task is fake
        del task
        gc.collect()
        assert set(di.names.namespace) == before

    asyncio.run(main())
