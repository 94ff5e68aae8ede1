"""Start and end of a container: with one application, with several, with exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from turbostar.di import Container, Inject, TeardownErrors


class Engine:
    closed = False


class Pool:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


class Clock: ...


def container(log: list[str]) -> Container:
    di = Container()

    @di.provide(scope="app")
    async def engine() -> AsyncIterator[Engine]:
        log.append("open")
        made = Engine()
        try:
            yield made
        except BaseException as exc:
            log.append(f"saw {type(exc).__name__}")
            raise
        finally:
            made.closed = True
            log.append("close")

    return di


async def show(engine: Inject[Engine]) -> Response:
    return PlainTextResponse(str(engine.closed))


def app_of(di: Container, **options: Any) -> Starlette:
    app = Starlette(routes=[Route("/", show)], **options)
    di.install(app)
    return app


def test_applications_that_share_a_container() -> None:
    """What they share is closed when the last of them ends."""
    log: list[str] = []
    di = container(log)
    first, second = TestClient(app_of(di)), TestClient(app_of(di))
    with first:
        assert first.get("/").text == "False"
        with second:
            assert second.get("/").text == "False"
        assert first.get("/").text == "False"
        assert log == ["open"]
        second.__enter__()
    assert second.get("/").text == "False"
    assert log == ["open"]
    second.__exit__(None, None, None)
    assert log == ["open", "close"]
    with first:
        assert first.get("/").text == "False"
    assert log == ["open", "close"] * 2


def test_an_application_that_fails_leaves_the_other_alone() -> None:
    """Whether it fails to start or while it runs."""
    log: list[str] = []
    di = container(log)

    async def main() -> None:
        async with di.lifespan():
            engine = await di.get(Engine)
            with pytest.raises(KeyError):
                async with di.lifespan():
                    raise KeyError
            assert not engine.closed
            async with di.lifespan():
                pass
            assert not engine.closed
        assert engine.closed

    asyncio.run(main())
    assert log == ["open", "close"]


def test_who_fails_last_is_seen_by_finalizers() -> None:
    """And nothing is left open, be it that the other has ended before."""
    log: list[str] = []
    di = container(log)

    async def main() -> None:
        async with di.lifespan():
            await di.get(Engine)
        with pytest.raises(KeyError):
            async with di.lifespan():
                raise KeyError(await di.get(Engine))

    asyncio.run(main())
    assert log == ["open", "close", "open", "saw KeyError", "close"]


def test_a_start_that_fails_counts_for_nothing() -> None:
    """The next one starts as if it was the first."""
    log: list[str] = []
    di = container(log)
    failures = [OSError("refused")]

    @di.provide(scope="app")
    async def pool(engine: Engine) -> Pool:
        if failures:
            raise failures.pop()
        return Pool(engine)

    async def handle(pool: Inject[Pool]) -> None: ...

    di.inject(handle)

    async def main() -> None:
        with pytest.raises(OSError, match="refused"):
            async with di.lifespan():
                raise AssertionError("it started")
        assert log == ["open", "saw OSError", "close"]
        async with di.lifespan():
            assert log[3:] == ["open"]
        assert log[3:] == ["open", "close"]

    asyncio.run(main())


def test_two_starts_at_once() -> None:
    """Build once, and close once."""
    log: list[str] = []
    di = container(log)
    di.inject(show)

    async def run() -> None:
        async with di.lifespan():
            await asyncio.sleep(0.01)

    async def main() -> None:
        await asyncio.gather(run(), run(), run())

    asyncio.run(main())
    assert log == ["open", "close"]


def test_closing_by_hand_closes_at_once() -> None:
    """Whoever uses it."""
    log: list[str] = []
    di = container(log)

    async def main() -> None:
        async with di.lifespan():
            await di.get(Engine)
            await di.close()
            assert log == ["open", "close"]

    asyncio.run(main())
    assert log == ["open", "close"]


@pytest.mark.parametrize("fails", [False, True])
def test_an_override_that_outlasts_the_application(fails: bool) -> None:
    """What was built below the override and above it is closed, the last first."""
    log: list[str] = []
    di = container(log)

    @di.provide(scope="app")
    def pool(engine: Engine, clock: Clock) -> Iterator[Pool]:
        log.append("open pool")
        yield Pool(engine)
        log.append("close pool")

    di.add(Clock, scope="app")

    async def main() -> None:
        async with di.lifespan():
            await di.get(Pool)
            override.__enter__()
            await di.get(Pool)
            if fails:
                raise KeyError

    override = di.override({Clock: Clock()})
    if fails:
        with pytest.raises(KeyError):
            asyncio.run(main())
        assert log[-2:] == ["saw KeyError", "close"]
    else:
        asyncio.run(main())
        assert log == ["open", "open pool", "open pool", "close pool", "close pool", "close"]
    override.__exit__(None, None, None)


@pytest.mark.parametrize("sync", [True, False])
def test_failures_in_an_override_do_not_keep_the_rest_open(sync: bool) -> None:
    """All finalizers run, and one group tells of all."""
    log: list[str] = []
    di = Container()

    @di.provide(scope="app")
    def engine() -> Iterator[Engine]:
        yield Engine()
        log.append("closed")
        raise KeyError

    @di.provide(scope="app")
    def pool(engine: Engine, clock: Clock) -> Iterator[Pool]:
        yield Pool(engine)
        raise OSError

    di.add(Clock, scope="app")
    with di.override({Clock: Clock()}):
        di.get_sync(Pool)
        with pytest.raises(TeardownErrors) as caught:
            asyncio.run(di.close()) if not sync else di.close_sync()
    assert log == ["closed"]
    assert [type(each) for each in caught.value.exceptions] == [OSError, KeyError]
