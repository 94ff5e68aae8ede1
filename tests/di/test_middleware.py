"""Middleware that asks for dependencies: in its constructor, and in its dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from tests.di.test_starlette import Session, Web, client_of, container, web
from turbostar.di import Container, Inject, Lazy, Named, WiringErrors

__all__ = ["web"]  # a fixture


class Settings:
    def __init__(self, name: str = "real") -> None:
        self.name = name


class Limits: ...


class Header:
    """Pure ASGI middleware, as one writes it."""

    made = 0

    def __init__(
        self, app: Any, prefix: str, settings: Inject[Settings], *, suffix: str = "", limits: Limits
    ) -> None:
        type(self).made += 1
        self.app, self.value = app, f"{prefix}{settings.name}{suffix}"
        assert isinstance(limits, Limits)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_header(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-name", self.value.encode()))
            await send(message)

        await self.app(scope, receive, with_header)


def supplied(log: list[str]) -> Container:
    di = container(log)

    @di.provide(scope="app")
    async def settings() -> AsyncIterator[Settings]:
        await asyncio.sleep(0)
        log.append("settings")
        yield Settings()
        log.append("settings closed")

    di.add(Limits, scope="app")
    return di


async def show(request: Request) -> Response:
    return PlainTextResponse("shown")


def test_constructors_are_supplied(web: Web) -> None:
    """With singletons, beside what they are given; once, when the first request comes."""
    log: list[str] = []
    di = supplied(log)
    Header.made = 0
    middleware = [web.Middleware(Header, "<", suffix=">")]
    with client_of(di, web, web.Route("/", show), middleware=middleware) as client:
        assert log == ["settings"]
        for _ in range(3):
            answer = client.get("/")
            assert (answer.text, answer.headers["x-name"]) == ("shown", "<real>")
        assert Header.made == 1
        with di.override({Settings: Settings("fake")}):
            assert client.get("/").headers["x-name"] == "<fake>"
        assert client.get("/").headers["x-name"] == "<real>"
    assert log == ["settings", "settings closed"]
    with client:
        assert client.get("/").headers["x-name"] == "<real>"
    assert log == ["settings", "settings closed"] * 2


def test_constructors_are_supplied_without_a_lifespan(web: Web) -> None:
    """By the first request, which builds what is needed."""
    middleware = [web.Middleware(Header, prefix="<")]
    client = client_of(supplied([]), web, web.Route("/", show), middleware=middleware)
    assert client.get("/").headers["x-name"] == "<real"


def test_requests_that_come_at_once_make_one(web: Web) -> None:
    """Though each finds that there is none yet."""
    Header.made = 0
    di = supplied([])
    client = client_of(
        di, web, web.Route("/", show), middleware=[web.Middleware(Header, prefix="")]
    )
    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        app: Any = client.app
        await asyncio.gather(*(app(dict(scope), receive, send) for _ in range(20)))

    asyncio.run(main())
    assert len(sent) == 40
    assert Header.made == 1


def test_base_http_middleware_may_ask_in_both_places(web: Web) -> None:
    """In its constructor for singletons, in dispatch for what lives in the request."""
    log: list[str] = []
    di = supplied(log)
    sessions: list[Any] = []

    class Noting(web.BaseHTTPMiddleware):  # type: ignore[name-defined,misc]
        def __init__(self, app: Any, settings: Inject[Settings]) -> None:
            super().__init__(app)
            self.settings = settings

        async def dispatch(self, request: Request, call_next: Any, session: Inject[Session]) -> Any:
            sessions.append(session)
            response = await call_next(request)
            response.headers["x-name"] = self.settings.name
            return response

    async def handle(session: Inject[Session]) -> Response:
        sessions.append(session)
        return PlainTextResponse("handled")

    middleware = [web.Middleware(Noting)]
    with client_of(di, web, web.Route("/", handle), middleware=middleware) as client:
        assert client.get("/").headers["x-name"] == "real"
    assert sessions[0] is sessions[1]


def test_what_constructors_may_ask_for(web: Web) -> None:
    """By name, lazily, and what is made for each who asks, torn down with the container."""
    log: list[str] = []
    di = supplied(log)
    di.value(Settings("second"), name="second")

    @di.provide(scope="transient")
    def text() -> Iterator[str]:
        log.append("text")
        yield "text"
        log.append("text closed")

    class Asks:
        def __init__(
            self,
            app: Any,
            second: Annotated[Settings, Named("second")],
            later: Lazy[Limits],
            text: Inject[str],
            other: Inject[bytes | None],
            plain: str = "default",
        ) -> None:
            self.app, self.later, self.told = app, later, (second.name, text, other, plain)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            limits = await self.later.get()
            answer = PlainTextResponse(f"{self.told} {type(limits).__name__}")
            await answer(scope, receive, send)

    middleware = [web.Middleware(Asks)]
    with client_of(di, web, web.Route("/", show), middleware=middleware) as client:
        assert client.get("/").text == "('second', 'text', None, 'default') Limits"
        assert client.get("/").status_code == 200
        assert log == ["text"]
    assert log == ["text", "text closed"]


def test_faults_of_constructors(web: Web) -> None:
    """Of what is missing, and of what lives in requests only."""

    class Asks:
        def __init__(self, app: Any, session: Session, what: Inject[bytes]) -> None: ...

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    di = container([])
    app = web.Starlette(middleware=[web.Middleware(Asks)])
    di.install(app)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert [each.number for each in caught.value.exceptions] == ["DI003", "DI001"]
    violation, missing = map(str, caught.value.exceptions)
    assert "Asks lives in the scope 'app' and needs session" in violation
    assert "Asks (test_middleware.py:" in missing


def test_middleware_that_asks_for_nothing_stays(web: Web) -> None:
    """Starlette's own among it, whose parameters have defaults or are given."""
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.sessions import SessionMiddleware

    class Plain:
        def __init__(self, app: Any) -> None: ...

    def factory(app: Any) -> Any:
        return app

    entries = [
        web.Middleware(CORSMiddleware, allow_origins=["*"]),
        web.Middleware(SessionMiddleware, "secret"),
        web.Middleware(Plain),
        web.Middleware(factory),
    ]
    di = Container()
    di.value("text")
    app = web.Starlette(middleware=entries)
    di.install(app)
    assert app.user_middleware == entries
    assert [a is b for a, b in zip(app.user_middleware, entries, strict=True)] == [True] * 4


def test_two_containers_in_one_application(web: Web) -> None:
    """Each has a scope of its own in a request, mounted or not."""

    class Other: ...

    log: list[str] = []
    di, other = container(log), Container()
    other.add(Other)
    found: list[Any] = []

    async def first(request: Request, call_next: Any, session: Inject[Session]) -> Any:
        found.append(session)
        return await call_next(request)

    async def second(request: Request, call_next: Any, value: Inject[Other]) -> Any:
        found.append(value)
        return await call_next(request)

    async def handle(value: Inject[Other]) -> Response:
        found.append(value)
        return Response()

    inner = web.Starlette(routes=[web.Route("/", handle)])
    inner.add_middleware(web.BaseHTTPMiddleware, dispatch=second)
    other.install(inner)
    app = web.Starlette(routes=[web.Mount("/in", inner)])
    app.add_middleware(web.BaseHTTPMiddleware, dispatch=first)
    di.install(app)
    assert TestClient(app).get("/in/").status_code == 200
    assert [type(each) for each in found] == [Session, Other, Other]
    assert found[1] is found[2]
    assert log == ["open", "close"]


def test_on_trio(web: Web) -> None:
    """Nothing is bound to asyncio: threads, teardown, singletons that are awaited, exceptions."""
    anyio = pytest.importorskip("anyio")
    pytest.importorskip("trio")
    log: list[str] = []
    di = container(log)

    @di.provide(scope="app")
    async def settings() -> AsyncIterator[Settings]:
        await anyio.sleep(0)
        yield Settings()
        await anyio.sleep(0)
        log.append("settings closed")

    @di.provide(thread=True)
    def text(session: Session) -> Iterator[str]:
        yield "text"
        log.append("text closed")

    di.add(Limits)

    class Asks(Header):
        def __init__(self, app: Any, settings: Inject[Settings]) -> None:
            self.app, self.value = app, settings.name

    async def handle(kind: str, text: Inject[str], session: Inject[Session]) -> Response:
        if kind == "fail":
            raise KeyError
        return PlainTextResponse(text)

    app = web.Starlette(routes=[web.Route("/{kind}", handle)], middleware=[web.Middleware(Asks)])
    di.install(app)
    di.validate()
    with TestClient(app, backend="trio", raise_server_exceptions=False) as client:
        answer = client.get("/x")
        assert (answer.text, answer.headers["x-name"]) == ("text", "real")
        assert log == ["open", "text closed", "close"]
        assert client.get("/fail").status_code == 500
        assert log[3:] == ["open", "saw KeyError", "close"]
    assert log[6:] == ["settings closed"]
