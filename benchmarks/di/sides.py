"""The same work by each library. A side makes, for each case, a coroutine function to be timed."""

from typing import Any

from benchmarks.di.peers import Case, Dishka, FastAPI, Rodi, Svcs, Wireup
from benchmarks.di.services import Engine, Repo, Service, Session, Settings, open_session

__all__ = ["CASES", "SIDES", "Case"]

#: What is timed, by the name of a method of each side.
CASES = {
    "handler": "handler with 3 chained services of its request",
    "handler_teardown": "handler with an async generator, torn down",
    "scope_and_service": "scope object and 1 service on a singleton",
    "singleton": "cached singleton, by get",
    "teardown": "scope with an async generator, torn down",
    "three_resolves": "scope object and 3 resolves",
    "only_scope": "scope object, opened and closed",
}


class Turbostar:
    """turbostar.di."""

    name = "turbostar"

    def __init__(self) -> None:
        from turbostar.di import Container, Inject

        self.plain, self.with_teardown = Container(), Container()
        for di in (self.plain, self.with_teardown):
            di.add(Settings, scope="app")
            di.add(Engine, scope="app")
            di.add(Repo)
            di.add(Service)
        self.plain.add(Session)
        self.with_teardown.add(open_session)

        async def handle(service: Inject[Service]) -> Service:
            return service

        async def handle_session(session: Inject[Session]) -> Session:
            return session

        self._handle = self.plain.inject(handle)
        self._handle_session = self.with_teardown.inject(handle_session)

    async def start(self) -> None:
        for di in (self.plain, self.with_teardown):
            await di.start()

    def handler(self) -> Case:
        return self._handle

    def handler_teardown(self) -> Case:
        return self._handle_session

    def scope_and_service(self) -> Case:
        di = self.plain

        async def case() -> Session:
            async with di.scope() as scope:
                return await scope.get(Session)

        return case

    def singleton(self) -> Case:
        di = self.plain

        async def case() -> Engine:
            return await di.get(Engine)

        return case

    def teardown(self) -> Case:
        di = self.with_teardown

        async def case() -> Session:
            async with di.scope() as scope:
                return await scope.get(Session)

        return case

    def three_resolves(self) -> Case:
        di = self.plain

        async def case() -> Service:
            async with di.scope() as scope:
                await scope.get(Session)
                await scope.get(Repo)
                return await scope.get(Service)

        return case

    def only_scope(self) -> Case:
        di = self.plain

        async def case() -> None:
            async with di.scope():
                pass

        return case


SIDES: list[Any] = [Turbostar, Wireup, Dishka, Svcs, Rodi, FastAPI]
