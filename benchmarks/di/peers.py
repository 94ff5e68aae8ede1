"""The work of the benchmark, by other libraries. Each class makes the cases of one of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from benchmarks.di.services import Engine, Repo, Service, Session, Settings, open_session

__all__ = ["Case", "Dishka", "FastAPI", "Rodi", "Svcs", "Wireup"]

Case = Callable[[], Awaitable[Any]]


class Wireup:
    """wireup."""

    name = "wireup"

    def __init__(self) -> None:
        import wireup

        def made(session: Any) -> Any:
            return wireup.create_async_container(
                injectables=[
                    wireup.injectable(Settings),
                    wireup.injectable(Engine),
                    session,
                    wireup.injectable(lifetime="scoped")(Repo),
                    wireup.injectable(lifetime="scoped")(Service),
                ]
            )

        self.plain = made(wireup.injectable(lifetime="scoped")(Session))
        self.with_teardown = made(wireup.injectable(lifetime="scoped")(open_session))

        @wireup.inject_from_container(self.plain)
        async def handle(service: wireup.Injected[Service]) -> Service:
            return service

        @wireup.inject_from_container(self.with_teardown)
        async def handle_session(session: wireup.Injected[Session]) -> Session:
            return session

        self._handle = handle
        self._handle_session = handle_session

    async def start(self) -> None:
        for container in (self.plain, self.with_teardown):
            await container.get(Engine)

    def handler(self) -> Case:
        handle: Any = self._handle
        return handle

    def handler_teardown(self) -> Case:
        handle: Any = self._handle_session
        return handle

    def scope_and_service(self) -> Case:
        return self._scoped(self.plain, Session)

    def teardown(self) -> Case:
        return self._scoped(self.with_teardown, Session)

    def three_resolves(self) -> Case:
        return self._scoped(self.plain, Session, Repo, Service)

    def only_scope(self) -> Case:
        return self._scoped(self.plain)

    def _scoped(self, container: Any, *keys: type) -> Case:
        if len(keys) == 1:
            (key,) = keys

            async def one() -> Any:
                async with container.enter_scope() as scope:
                    return await scope.get(key)

            return one

        async def case() -> Any:
            found = None
            async with container.enter_scope() as scope:
                for key in keys:
                    found = await scope.get(key)
            return found

        return case

    def singleton(self) -> Case:
        container = self.plain

        async def case() -> Any:
            return await container.get(Engine)

        return case


class Dishka(Wireup):
    """dishka."""

    name = "dishka"

    def __init__(self) -> None:
        import dishka

        def made(session: Any) -> Any:
            provider = dishka.Provider()
            provider.provide(Settings, scope=dishka.Scope.APP)
            provider.provide(Engine, scope=dishka.Scope.APP)
            for each in (session, Repo, Service):
                provider.provide(each, scope=dishka.Scope.REQUEST)
            return dishka.make_async_container(provider)

        self.plain, self.with_teardown = made(Session), made(open_session)

    def handler(self) -> Case:
        from dishka import FromDishka
        from dishka.integrations.base import wrap_injection

        async def handle(service: FromDishka[Service]) -> Service:
            return service

        return self._injected(self.plain, wrap_injection, handle)

    def handler_teardown(self) -> Case:
        from dishka import FromDishka
        from dishka.integrations.base import wrap_injection

        async def handle(session: FromDishka[Session]) -> Session:
            return session

        return self._injected(self.with_teardown, wrap_injection, handle)

    def _injected(self, container: Any, wrap_injection: Any, handle: Any) -> Case:
        current: list[Any] = [None]
        injected: Any = wrap_injection(
            func=handle, container_getter=lambda args, kwargs: current[0], is_async=True
        )

        async def case() -> Any:
            async with container() as scope:
                current[0] = scope
                return await injected()

        return case

    def _scoped(self, container: Any, *keys: type) -> Case:
        if len(keys) == 1:
            (key,) = keys

            async def one() -> Any:
                async with container() as scope:
                    return await scope.get(key)

            return one

        async def case() -> Any:
            found = None
            async with container() as scope:
                for key in keys:
                    found = await scope.get(key)
            return found

        return case


class Svcs(Wireup):
    """svcs: it knows no type hints, so that its factories look up what they need."""

    name = "svcs"

    def __init__(self) -> None:
        import svcs

        def made(session: Any) -> Any:
            registry = svcs.Registry()
            registry.register_value(Settings, Settings())
            registry.register_value(Engine, Engine(Settings()))
            registry.register_factory(Session, session)
            registry.register_factory(Repo, repo)
            registry.register_factory(Service, service)
            return registry

        def plain(container: svcs.Container) -> Session:
            return Session(container.get(Engine))

        async def generator(container: svcs.Container) -> AsyncIterator[Session]:
            yield Session(container.get(Engine))

        async def repo(container: svcs.Container) -> Repo:
            return Repo(await container.aget(Session))

        async def service(container: svcs.Container) -> Service:
            return Service(await container.aget(Repo))

        self.plain, self.with_teardown = made(plain), made(generator)
        self._class = svcs.Container

    async def start(self) -> None:
        self._root = self._class(self.plain)
        await self._root.aget(Engine)

    def handler(self) -> Case:
        return self._scoped(self.plain, Service)

    def handler_teardown(self) -> Case:
        return self._scoped(self.with_teardown, Session)

    def _scoped(self, container: Any, *keys: type) -> Case:
        cls = self._class

        async def case() -> Any:
            found = None
            async with cls(container) as scope:
                for key in keys:
                    found = await scope.aget(key)
            return found

        return case

    def singleton(self) -> Case:
        root = self._root

        async def case() -> Any:
            return await root.aget(Engine)

        return case


class Rodi(Wireup):
    """rodi: it has neither async factories nor teardown."""

    name = "rodi"

    def __init__(self) -> None:
        import rodi

        container = rodi.Container()
        container.add_singleton(Settings)
        container.add_singleton(Engine)
        for each in (Session, Repo, Service):
            container.add_scoped(each)
        self.plain = container.build_provider()

    async def start(self) -> None:
        self.plain.get(Engine)

    def handler(self) -> Case:
        return self._scoped(self.plain, Service)

    def teardown(self) -> Case:
        raise NotImplementedError

    handler_teardown = teardown

    def _scoped(self, container: Any, *keys: type) -> Case:
        async def case() -> Any:
            found = None
            with container.create_scope() as scope:
                for key in keys:
                    found = container.get(key, scope)
            return found

        return case

    def singleton(self) -> Case:
        container = self.plain

        async def case() -> Any:
            return container.get(Engine)

        return case


class FastAPI:
    """FastAPI's Depends: the solving of one handler's dependencies, without its routing."""

    name = "FastAPI"

    def __init__(self) -> None:
        from fastapi import Depends
        from fastapi.dependencies.utils import get_dependant

        engine = Engine(Settings())

        def session() -> Session:
            return Session(engine)

        async def session_async() -> Session:
            return Session(engine)

        async def repo(session: Annotated[Session, Depends(session_async)]) -> Repo:
            return Repo(session)

        async def service(repo: Annotated[Repo, Depends(repo)]) -> Service:
            return Service(repo)

        async def generator() -> AsyncIterator[Session]:
            yield Session(engine)

        async def handle(service: Annotated[Service, Depends(service)]) -> Service:
            return service

        async def with_one(session: Annotated[Session, Depends(session_async)]) -> Session:
            return session

        async def with_teardown(session: Annotated[Session, Depends(generator)]) -> Session:
            return session

        self._made = {
            each.__name__: (get_dependant(path="/", call=each), each)
            for each in (handle, with_one, with_teardown)
        }

    async def start(self) -> None: ...

    def _solved(self, name: str) -> Case:
        from contextlib import AsyncExitStack

        from fastapi.dependencies.utils import solve_dependencies
        from starlette.requests import Request

        dependant, call = self._made[name]

        async def case() -> Any:
            async with AsyncExitStack() as inner, AsyncExitStack() as outer:
                scope = {
                    "type": "http",
                    "headers": [],
                    "query_string": b"",
                    "path_params": {},
                    "fastapi_inner_astack": inner,
                    "fastapi_function_astack": outer,
                }
                solved = await solve_dependencies(
                    request=Request(scope),
                    dependant=dependant,
                    async_exit_stack=outer,
                    embed_body_fields=False,
                )
                return await call(**solved.values)

        return case

    def handler(self) -> Case:
        return self._solved("handle")

    def scope_and_service(self) -> Case:
        return self._solved("with_one")

    def teardown(self) -> Case:
        return self._solved("with_teardown")

    handler_teardown = teardown

    def singleton(self) -> Case:
        raise NotImplementedError

    three_resolves = only_scope = singleton
