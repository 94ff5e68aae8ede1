"""What can be provided, and in which forms it can be asked for."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import inspect
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Annotated, Any, Generic, NewType, Protocol, TypeVar

import msgspec
import pytest

from turbostar.di import Container, ContainerInUse, Inject, Lazy, Named, Scope, UnknownScope

T = TypeVar("T")
UserId = NewType("UserId", int)


class Storage(Protocol):
    def put(self) -> str: ...


class Local:
    def put(self) -> str:
        return "local"


class Remote:
    def put(self) -> str:
        return "remote"


class User: ...


class Order: ...


class Repo(Generic[T]):
    def __init__(self, model: type[T], storage: Local) -> None:
        self.model = model
        self.storage = storage


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


async def ask(di: Container, key: Any, name: str | None = None) -> Any:
    async with di.scope() as scope:
        return await scope.get(key, name)


def test_classes_are_made_from_their_hints() -> None:
    """Plain classes, dataclasses and Structs alike."""

    @dataclasses.dataclass
    class Data:
        local: Local
        size: int = 3

    class Record(msgspec.Struct):
        data: Data

    di = Container()
    for each in (Local, Data, Record):
        di.add(each)
    record = run(ask(di, Record))
    assert isinstance(record.data.local, Local)
    assert record.data.size == 3


def test_hints_for_type_checkers_only_are_found_by_name() -> None:
    """A name under TYPE_CHECKING means the provided type of that name."""

    class Clock:
        pass

    class Service:
        def __init__(self, clock: Clock) -> None:
            self.clock = clock

    Service.__init__.__annotations__["clock"] = "Clock"
    di = Container()
    di.add(Clock)
    di.add(Service)
    assert isinstance(run(ask(di, Service)).clock, Clock)


def test_aliases_and_names() -> None:
    """One class may stand for a protocol, and several under names."""
    di = Container()
    di.add(Local, provides=Storage, name="local")
    di.add(Remote, provides=Storage, name="remote")

    class Both:
        def __init__(
            self,
            one: Annotated[Storage, Named("remote")],
            every: list[Storage],
            named: dict[str, Storage],
        ) -> None:
            self.puts = one.put(), [each.put() for each in every], sorted(named)
            self.shared = named["remote"] is one

    di.add(Both)
    both = run(ask(di, Both))
    assert both.puts == ("remote", ["local", "remote"], ["local", "remote"])
    assert both.shared
    assert run(ask(di, Storage, "local")).put() == "local"
    assert [each.put() for each in run(ask(di, list[Storage]))] == ["local", "remote"]


def test_optional_needs_and_defaults() -> None:
    """Nobody provides them: None, or the default."""

    class Service:
        def __init__(self, user: User | None, order: Order = ..., *, size: int = 7) -> None:  # type: ignore[assignment]
            self.found = user, order, size

    di = Container()
    di.add(Service)
    assert run(ask(di, Service)).found == (None, ..., 7)


def test_a_keyword_follows_what_is_left_out() -> None:
    """A parameter after one that keeps its default is given by name."""

    class Service:
        def __init__(self, order: Order | int = 1, local: Local | None = None) -> None:
            self.found = order, local

    di = Container()
    di.add(Local)
    di.add(Service)
    order, local = run(ask(di, Service)).found
    assert order == 1
    assert isinstance(local, Local)


def test_generics_are_made_for_each_type() -> None:
    """A provider of a generic class answers all of its types; one for a type comes first."""
    special = Repo(Order, Local())
    di = Container()
    di.add(Local, scope="app")
    di.add(Repo)
    di.value(special, provides=Repo[Order])
    users = run(ask(di, Repo[User]))
    assert users.model is User
    assert run(ask(di, Repo[Order])) is special


def test_a_function_may_provide_a_generic() -> None:
    """Its type variables stand for what is asked."""

    def repo(model: type[T]) -> Repo[T]:
        return Repo(model, Local())

    di = Container()
    di.add(repo)
    assert run(ask(di, Repo[User])).model is User


def test_newtypes_are_types_of_their_own() -> None:
    """A value may be provided under a NewType."""
    di = Container()
    di.value(UserId(3), provides=UserId)
    assert run(ask(di, UserId)) == 3


def test_lazy_and_factories_share_the_scope() -> None:
    """What is asked for later is what the scope has, or will have."""

    class Late:
        def __init__(
            self,
            lazy: Lazy[Local],
            now: Callable[[], Local],
            later: Callable[[], Awaitable[Local]],
            fresh: Callable[[], Remote],
        ) -> None:
            self.lazy, self.now, self.later, self.fresh = lazy, now, later, fresh

    di = Container()
    di.add(Local)
    di.add(Remote, scope="transient")
    di.add(Late)

    async def handle(late: Inject[Late], local: Inject[Local]) -> None:
        assert late.now() is await late.lazy.get() is await late.later() is local
        assert late.fresh() is not late.fresh()

    di.validate()
    run(di.call(handle))


def test_decorators_wrap_in_their_order() -> None:
    """What decorates takes the place, and keeps the scope, of what it wraps."""

    class Loud:
        def __init__(self, inner: Storage, user: User) -> None:
            self.inner, self.user = inner, user

        def put(self) -> str:
            return self.inner.put().upper()

    def quoted(inner: Storage) -> Storage:
        class Quoted:
            def put(self) -> str:
                return f"'{inner.put()}'"

        return Quoted()

    di = Container()
    di.add(User)
    di.add(Local, provides=Storage)
    di.decorate(Storage, Loud)
    di.decorate(Storage, quoted)
    assert run(ask(di, Storage)).put() == "'LOCAL'"


def test_replacing_leaves_a_shadow() -> None:
    """The later provider answers, and the audit tells of the earlier one."""
    di = Container()
    di.add(Local, provides=Storage)
    di.add(Remote, provides=Storage, replace=True)
    assert run(ask(di, Storage)).put() == "remote"
    assert [row.by for row in di.audit().shadowed] == ["Local"]


def test_context_is_given_to_each_scope() -> None:
    """Providers see the value of their own scope."""

    class Greeting:
        def __init__(self, name: str) -> None:
            self.text = f"hello {name}"

    di = Container()
    di.context(str)
    di.add(Greeting)

    async def greet(name: str) -> str:
        async with di.scope({str: name}) as scope:
            return (await scope.get(Greeting)).text

    async def both() -> list[str]:
        return [await greet("Ada"), await greet("Grace")]

    assert run(both()) == ["hello Ada", "hello Grace"]


def test_scopes_of_ones_own() -> None:
    """A session holds what several requests share; a request opened alone has one of its own."""
    di = Container(scopes=("app", "session", "request"))
    closed: list[str] = []

    def basket() -> Iterator[User]:
        yield User()
        closed.append("basket")

    class Page:
        def __init__(self, basket: User) -> None:
            self.basket = basket

    di.add(basket, scope="session")
    di.add(Page)

    async def main() -> None:
        async with di.scope(name="session") as session:
            async with session.scope() as first, session.scope() as second:
                one, two = await first.get(Page), await second.get(Page)
                assert one is not two
                assert one.basket is two.basket is await session.get(User)
            assert closed == []
        assert closed == ["basket"]
        async with di.scope() as alone:
            assert (await alone.get(Page)).basket is not one.basket
        assert closed == ["basket", "basket"]
        assert isinstance(await di.call(page), Page)

    async def page(page: Inject[Page]) -> Page:
        return page

    run(main())


def test_the_scope_and_the_container_can_be_asked_for() -> None:
    """A handler may look up by itself what it cannot name beforehand."""
    di = Container()
    di.add(Local)

    async def handle(scope: Inject[Scope], local: Inject[Local], own: Inject[Container]) -> None:
        assert await scope.get(Local) is local
        assert own is di

    run(di.call(handle))


def test_without_await() -> None:
    """Scripts use the same container in plain functions."""
    closed: list[str] = []

    def local() -> Iterator[Local]:
        yield Local()
        closed.append("local")

    class Service:
        def __init__(self, local: Local) -> None:
            self.local = local

    di = Container()
    di.add(local, scope="app")
    di.add(Service)
    with di.scope() as scope:
        assert scope.get_sync(Service) is scope.get_sync(Service)
        assert scope.get_sync(Service).local is di.get_sync(Local)
    assert closed == []
    di.close_sync()
    assert closed == ["local"]


@pytest.mark.parametrize("is_generator", [False, True])
def test_threads_only_where_asked_for(is_generator: bool) -> None:
    """Sync providers run inline, unless they say thread=True."""

    def function() -> threading.Thread:
        return threading.current_thread()

    def generator() -> Iterator[threading.Thread]:
        yield threading.current_thread()
        ended.append(threading.current_thread())

    ended: list[threading.Thread] = []
    target = generator if is_generator else function
    for thread in (False, True):
        di = Container()
        di.add(target, provides=threading.Thread, thread=thread)
        found = run(ask(di, threading.Thread))
        assert (found is threading.current_thread()) is not thread
        assert all((each is threading.current_thread()) is not thread for each in ended)
        ended.clear()


def test_background_work_asks_by_inject() -> None:
    """What is not injected is passed on."""
    di = Container()
    di.add(Local)

    async def send(
        address: str, storage: Inject[Local], *, copies: int = 1
    ) -> tuple[str, str, int]:
        return address, storage.put(), copies

    assert run(di.inject(send)("ada", copies=2)) == ("ada", "local", 2)
    assert di.inject(send) is di.inject(send)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((1, 2, 3), {}), ((1, 2), {"right": 3}), ((1,), {"middle": 2, "right": 3})],
)
def test_what_is_not_injected_is_passed_by_position(args: Any, kwargs: Any) -> None:
    """Wherever parameters stand that are injected."""
    di = Container()
    di.add(Local)

    async def move(
        left: int, local: Inject[Local], middle: int, also: Inject[Local], right: int = 0
    ) -> tuple[int, ...]:
        assert local is also
        return left, middle, right

    assert run(di.call(move, *args, **kwargs)) == (1, 2, 3)
    injected: Any = di.inject(move)
    with pytest.raises(TypeError, match=r"move\(\) takes 3 positional arguments but 4 were given"):
        run(injected(1, 2, 3, 4))
    with pytest.raises(TypeError, match=r"move\(\) got multiple values for argument 'middle'"):
        run(injected(1, 2, middle=2))
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'middle'"):
        run(injected(1))


def test_generators_are_not_injected() -> None:
    """Their scope would end before they begin."""

    async def lines(local: Inject[Local]) -> AsyncIterator[str]:
        yield local.put()

    for function in (lines, contextlib.asynccontextmanager(lines)):
        with pytest.raises(ValueError, match=r"lines .* is a generator, .*di\.scope\(\)"):
            Container().inject(function)  # type: ignore[arg-type]


def test_injected_functions_look_like_what_is_left_of_them() -> None:
    """For frameworks that read signatures, with hints resolved."""
    di = Container()
    di.add(Local)

    async def send(address: str, storage: Inject[Local], *rest: str, copies: int = 1) -> bool:
        """Send it."""
        return bool(address)

    injected: Any = di.inject(send)
    assert str(inspect.signature(injected)) == (
        "(address: str, *rest: str, copies: int = 1) -> bool"
    )
    assert (injected.__name__, injected.__doc__) == ("send", "Send it.")
    assert (injected.__qualname__, injected.__module__) == (send.__qualname__, __name__)


def test_providers_come_before_use() -> None:
    """After something was built, adding is an error; before, it is not."""
    di = Container()
    di.add(Local, scope="app")
    di.validate()

    async def handle(remote: Inject[Remote]) -> str:
        return remote.put()

    function = di.inject(handle)
    di.add(Remote)
    assert run(function()) == "remote"
    di.get_sync(Local)
    with pytest.raises(ContainerInUse, match="override"):
        di.add(User)


@pytest.mark.parametrize(
    "scopes", [(), ("app",), ("request", "app"), ("app", "x", "x"), ("app", "transient")]
)
def test_wrong_scopes_are_refused(scopes: tuple[str, ...]) -> None:
    """There are at least two, and the first is the application's."""
    with pytest.raises(UnknownScope, match="different names"):
        Container(scopes)


def test_methods_are_compiled_once_for_all_objects() -> None:
    """And keep none of these alive."""

    class Settings: ...

    di = Container()
    di.add(Settings, scope="app")

    class Job:
        async def run(self, more: int, settings: Inject[Settings]) -> tuple[Any, ...]:
            return self, more, settings

        @classmethod
        async def of_class(cls, settings: Inject[Settings]) -> tuple[Any, ...]:
            return cls, settings

    async def main() -> None:
        for number in range(3):
            job = Job()
            assert await di.call(job.run, number) == (job, number, await di.get(Settings))
            assert await di.inject(job.run)(more=1) == (job, 1, await di.get(Settings))
            assert inspect.iscoroutinefunction(di.inject(job.run))
        assert (await di.call(Job.of_class))[0] is Job
        gone = weakref.ref(job)
        del job
        gc.collect()
        assert gone() is None

    asyncio.run(main())
    assert len(di.handlers) == 2
