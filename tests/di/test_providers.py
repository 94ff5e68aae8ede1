"""What may provide something: wrappers, partials, objects, context managers; and what may not."""

from __future__ import annotations

import abc
import asyncio
import enum
import functools
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import pytest

from turbostar.di import Container, GeneratorMisuse, Inject, WiringErrors

T = TypeVar("T")


class Engine:
    def __init__(self, by: str = "itself") -> None:
        self.by = by


class Needs:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


async def coroutine() -> Engine:
    return Engine("coroutine")


def plain() -> Engine:
    return Engine("plain")


def generator() -> Iterator[Engine]:
    yield Engine("generator")


async def async_generator() -> AsyncIterator[Engine]:
    yield Engine("async generator")


def passing(function: Callable[..., Any]) -> Any:
    """A decorator that knows nothing of async, and works with all the same."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def awaiting(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return wrapper


def running(function: Callable[..., Any]) -> Any:
    """Makes a sync function of an async one."""

    @functools.wraps(function)
    def wrapper() -> Any:
        running = function()
        try:
            running.send(None)
        except StopIteration as exc:
            return exc.value

    return wrapper


class Caller:
    async def __call__(self) -> Engine:
        return Engine("async object")

    async def method(self) -> Engine:
        return Engine("async method")

    async def generate(self) -> AsyncIterator[Engine]:
        yield Engine("async generator method")

    @staticmethod
    async def static() -> Engine:
        return Engine("static method")

    @classmethod
    def kind(cls) -> Iterator[Engine]:
        yield Engine("class method")


class Generating:
    def __call__(self) -> Iterator[Engine]:
        yield Engine("object that generates")


class Named(Engine):
    func = None  # which is what a partial has, too


def with_name(name: str) -> Engine:
    return Engine(name)


TARGETS: dict[str, tuple[Any, str]] = {
    "async wrapper of sync": (awaiting(plain), "plain"),
    "async wrapper of async": (awaiting(coroutine), "coroutine"),
    "sync wrapper of async": (passing(coroutine), "coroutine"),
    "sync wrapper that runs": (running(coroutine), "coroutine"),
    "sync wrapper of a generator": (passing(generator), "generator"),
    "sync wrapper of an async generator": (passing(async_generator), "async generator"),
    "wrapper of wrapper": (passing(awaiting(passing(plain))), "plain"),
    "partial of async": (functools.partial(coroutine), "coroutine"),
    "partial of partial of wrapper": (
        functools.partial(functools.partial(passing(coroutine))),
        "coroutine",
    ),
    "partial of generator": (functools.partial(generator), "generator"),
    "wrapper of partial": (passing(functools.partial(async_generator)), "async generator"),
    "async object": (Caller(), "async object"),
    "partial of async object": (functools.partial(Caller()), "async object"),
    "object that generates": (Generating(), "object that generates"),
    "async method": (Caller().method, "async method"),
    "async generator method": (Caller().generate, "async generator method"),
    "static method": (Caller.static, "static method"),
    "static method as such": (Caller.__dict__["static"], "static method"),
    "class method": (Caller.kind, "class method"),
    "context manager": (contextmanager(generator), "generator"),
    "async context manager": (asynccontextmanager(async_generator), "async generator"),
    "wrapped context manager": (passing(contextmanager(generator)), "generator"),
    "partial of context manager": (
        functools.partial(asynccontextmanager(async_generator)),
        "async generator",
    ),
    "class with an attribute func": (Named, "itself"),
    "cached": (functools.lru_cache(plain), "plain"),
}


@pytest.mark.parametrize("scope", ["app", "request", "transient"])
@pytest.mark.parametrize("case", TARGETS)
def test_what_is_called_decides(case: str, scope: str) -> None:
    """Whoever asks gets what is meant: never a coroutine, a generator or a context manager."""
    target, by = TARGETS[case]
    di = Container()
    di.add(target, scope=scope, provides=Engine)
    di.add(Needs)
    di.validate()

    async def handle(needs: Inject[Needs]) -> str:
        return needs.engine.by

    async def main() -> None:
        async with di.lifespan():
            assert await di.call(handle) == by
            async with di.scope() as opened:
                needs = await opened.get(Needs)
                assert type(needs.engine) in (Engine, Named)
                assert needs.engine.by == by

    asyncio.run(main())


def test_functions_that_are_marked() -> None:
    """``inspect.markcoroutinefunction`` says that a plain function returns a coroutine."""
    if sys.version_info < (3, 12):
        pytest.skip("since Python 3.12")

    def marked() -> Engine:
        return coroutine()  # type: ignore[return-value]

    class Marked:
        def __call__(self) -> Engine:
            return coroutine()  # type: ignore[return-value]

    instance = Marked()
    inspect.markcoroutinefunction(instance)  # type: ignore[type-var]
    for target in (inspect.markcoroutinefunction(marked), instance):
        di = Container()
        di.add(target, scope="app", provides=Engine)
        assert asyncio.run(di.get(Engine)).by == "coroutine"


@pytest.mark.parametrize("decorator", [contextmanager, lambda f: passing(contextmanager(f))])
def test_context_managers_are_torn_down(decorator: Any) -> None:
    """As the generators are that they were made of, and with the exception."""
    log: list[str] = []

    @decorator
    def engine() -> Generator[Engine]:
        try:
            yield Engine("manager")
        except KeyError:
            log.append("saw KeyError")
            raise
        finally:
            log.append("closed")

    di = Container()
    di.add(engine)
    with di.scope() as scope:
        assert scope.get_sync(Engine).by == "manager"
    assert log == ["closed"]
    with pytest.raises(KeyError), di.scope() as scope:
        raise KeyError(scope.get_sync(Engine))
    assert log == ["closed", "saw KeyError", "closed"]


def test_async_context_managers_are_torn_down() -> None:
    """In the order of all finalizers; in worker threads, where the sync ones are asked to."""
    log: list[str] = []

    @asynccontextmanager
    async def engine() -> AsyncIterator[Engine]:
        yield Engine("manager")
        await asyncio.sleep(0)
        log.append("engine closed")

    @contextmanager
    def needs(engine: Engine) -> Iterator[Needs]:
        yield Needs(engine)
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        log.append("needs closed")

    di = Container()
    di.provide(engine)
    di.provide(thread=True)(needs)

    async def handle(needs: Inject[Needs]) -> str:
        return needs.engine.by

    assert asyncio.run(di.call(handle)) == "manager"
    assert log == ["needs closed", "engine closed"]


def test_wrappers_may_return_something_else() -> None:
    """Then it is told what they returned."""

    @functools.wraps(generator)
    def engine() -> Any:
        return list(generator())

    di = Container()
    di.add(engine)
    with pytest.raises(GeneratorMisuse, match="wraps a generator and returned list"):
        asyncio.run(di.call(_take))
    with pytest.raises(GeneratorMisuse), di.scope() as scope:
        scope.get_sync(Engine)


async def _take(engine: Inject[Engine]) -> None: ...


def test_threads_are_for_what_is_sync() -> None:
    """An async provider runs in the event loop."""
    for target in (coroutine, async_generator, passing(coroutine), Caller()):
        with pytest.raises(ValueError, match="is async, and thread=True is for what is sync"):
            Container().add(target, thread=True)


def test_injected_wrappers_are_awaited_within_their_scope() -> None:
    """A sync wrapper of a job that is async."""
    log: list[str] = []

    @passing
    async def job(engine: Inject[Engine]) -> str:
        await asyncio.sleep(0)
        log.append("job")
        return engine.by

    def engine() -> Iterator[Engine]:
        yield Engine()
        log.append("closed")

    di = Container()
    di.add(engine)
    assert asyncio.run(di.call(job)) == "itself"
    assert log == ["job", "closed"]


class Port(Protocol):
    def put(self) -> None: ...


class Real(Port):
    def put(self) -> None: ...


class Base(abc.ABC):
    @abc.abstractmethod
    def put(self) -> None: ...


class Half(Base, Generic[T]):
    def get(self) -> None: ...


class Tuple(NamedTuple):
    engine: Engine


class Color(enum.Enum):
    RED = 1


@pytest.mark.parametrize("target", [Port, Base, Half, Half[int], Color, 3, "text", Engine | None])
def test_what_cannot_be_called(target: Any) -> None:
    """Protocols, abstract classes and what is no callable at all are refused by validate()."""
    di = Container()
    di.add(target)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    (fault,) = caught.value.exceptions
    assert fault.number == "DI016"
    di = Container()
    di.add(Engine)
    di.decorate(Engine, target)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert "DI016" in [each.number for each in caught.value.exceptions]


@pytest.mark.parametrize("target", [Real, Tuple])
def test_what_can_be_called(target: Any) -> None:
    """Classes that implement a protocol, and tuples with names."""
    di = Container()
    di.add(Engine)
    di.add(target)
    di.validate()
    with di.scope() as scope:
        scope.get_sync(target)


def test_what_a_generator_raises_is_not_mistaken_for_its_end() -> None:
    """Not even the exceptions that end generators."""

    async def stops() -> AsyncIterator[Engine]:
        if True:
            raise StopAsyncIteration
        yield Engine()

    async def never() -> AsyncIterator[Engine]:
        if False:
            yield Engine()

    for target, kind in ((stops, RuntimeError), (never, GeneratorMisuse)):
        di = Container()
        di.add(target)
        with pytest.raises(kind):
            asyncio.run(di.call(_take))
