"""Handlers of Starlette: on stock, accelerated in place, and with swapped imports."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any, Literal, NewType

import pytest
import starlette.applications
import starlette.convertors
import starlette.endpoints
import starlette.middleware
import starlette.middleware.base
import starlette.routing
from starlette.background import BackgroundTask
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

import turbostar
import turbostar.applications
import turbostar.endpoints
import turbostar.middleware
import turbostar.middleware.base
import turbostar.requests
import turbostar.routing
from turbostar.di import (
    Container,
    Inject,
    Lazy,
    Scope,
    ScopeClosed,
    TeardownErrors,
    WiringErrors,
)

Web = SimpleNamespace


def web_of(package: ModuleType) -> Web:
    return SimpleNamespace(
        Starlette=package.applications.Starlette,
        HTTPEndpoint=package.endpoints.HTTPEndpoint,
        Middleware=package.middleware.Middleware,
        BaseHTTPMiddleware=package.middleware.base.BaseHTTPMiddleware,
        Route=package.routing.Route,
        WebSocketRoute=package.routing.WebSocketRoute,
        Mount=package.routing.Mount,
    )


@pytest.fixture(params=["stock", "installed", "swapped"])
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    """The classes of an application."""
    if request.param == "swapped":
        yield web_of(turbostar)
        return
    if request.param == "installed":
        turbostar.install()
    yield web_of(starlette)
    turbostar.uninstall()


class Session: ...


class Repo:
    def __init__(self, session: Session, conn: HTTPConnection) -> None:
        self.session, self.conn = session, conn


def container(log: list[str]) -> Container:
    di = Container()

    @di.provide
    async def session() -> AsyncIterator[Session]:
        log.append("open")
        try:
            yield Session()
        except BaseException as exc:
            log.append(f"saw {type(exc).__name__}")
            raise
        finally:
            log.append("close")

    di.add(Repo)
    return di


def client_of(di: Container, web: Web, *routes: Any, **options: Any) -> TestClient:
    install = {name: options.pop(name) for name in ("close",) if name in options}
    app = web.Starlette(routes=routes, **options)
    di.install(app, **install)
    di.validate()
    return TestClient(app, raise_server_exceptions=False)


def test_parameters_of_a_handler(web: Web) -> None:
    """Connection, path, state, dependencies, and defaults."""
    di = container([])

    async def show(
        request: Request, number: int, key: uuid.UUID, state: State, repo: Repo, size: int = 3
    ) -> Response:
        assert repo.conn is request
        assert state is request.state
        return JSONResponse([number, str(key), size])

    def in_thread(text: str, session: Inject[Session]) -> Response:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return PlainTextResponse(text)

    key = uuid.UUID(int=7)
    client = client_of(
        di,
        web,
        web.Mount("/{number:int}", routes=[web.Route("/{key:uuid}", show)]),
        web.Route("/sync/{text}", in_thread),
    )
    with client:
        assert client.get(f"/5/{key}").json() == [5, str(key), 3]
        assert client.get("/sync/hello").text == "hello"


def test_what_asks_for_nothing_stays(web: Web) -> None:
    """Its route is not touched."""

    async def plain(request: Request) -> Response:
        return Response()

    async def bare(request):  # type: ignore[no-untyped-def]
        return Response()

    routes = [web.Route("/", plain), web.Route("/bare", bare)]
    apps = [route.app for route in routes]
    di = container([])
    client = client_of(di, web, *routes)
    assert [route.app for route in routes] == apps
    assert di.handlers == []
    assert client.get("/bare").status_code == 200


@pytest.mark.parametrize("close", ["after", "before"])
def test_finalizers_wait_for_the_response(web: Web, close: str) -> None:
    """A stream and a background task can use what the handler got, unless one says "before"."""
    log: list[str] = []
    di = container(log)

    async def stream(session: Inject[Session]) -> Response:
        async def chunks() -> AsyncIterator[str]:
            log.append("chunk")
            yield "chunk"

        async def after() -> None:
            log.append("background")

        return StreamingResponse(chunks(), background=BackgroundTask(after))

    with client_of(di, web, web.Route("/", stream), close=close) as client:
        assert client.get("/").text == "chunk"
    after = ["open", "chunk", "background", "close"]
    assert log == (after if close == "after" else ["open", "close", "chunk", "background"])


class Asked:
    def __init__(self, request: turbostar.requests.Request) -> None:
        self.request = request


class Typed:
    def __init__(self, request: Request[dict[str, str]]) -> None:
        self.request = request


@pytest.mark.parametrize("asked", [Request, turbostar.requests.Request])
def test_a_request_with_a_typed_state(web: Web, asked: Any) -> None:
    """`Request[State]` is the request, wherever it stands."""
    di = Container()
    di.add(Typed)

    async def show(found: Inject[Typed], other: Request) -> Response:
        return Response(str(found.request is other))

    show.__annotations__["other"] = asked[dict[str, str]]
    with client_of(di, web, web.Route("/", show)) as client:
        assert client.get("/").text == "True"


@pytest.mark.parametrize("asked", [Request, turbostar.requests.Request])
def test_a_request_of_swapped_imports(web: Web, asked: Any) -> None:
    """It is Starlette's to the container, as to type checkers: for providers, and in a scope."""
    di = Container()
    di.add(Asked)

    async def show(found: Inject[Asked], other: Request) -> Response:
        return Response(f"{found.request.url.path} {found.request is other}")

    show.__annotations__["other"] = asked

    with client_of(di, web, web.Route("/here", show)) as client:
        di.validate()
        assert client.get("/here").text == "/here True"
    request = Request({"type": "http", "headers": []})
    with di.scope({asked: request}) as scope:
        assert scope.get_sync(Asked).request is request
        assert scope.get_sync(asked) is request


@pytest.mark.parametrize("count", [1, 2])
def test_a_commit_that_fails_is_answered(web: Web, count: int) -> None:
    """By the handler for what it raised; several finalizers that fail are told of together."""
    di = Container()
    cause = OSError("cut")

    class Commit:
        pass

    class Flush:
        pass

    @di.provide
    async def commit() -> AsyncIterator[Commit]:
        yield Commit()
        raise KeyError("commit") from cause

    @di.provide
    async def flush(commit: Commit) -> AsyncIterator[Flush]:
        yield Flush()
        if count == 2:
            raise KeyError("flush")

    async def write(flush: Inject[Flush]) -> Response:
        return Response("written")

    caught: list[Exception] = []

    async def told(request: Request, exc: Exception) -> Response:
        caught.append(exc)
        return Response(type(exc).__name__, 409)

    app = web.Starlette(
        routes=[web.Route("/", write)], exception_handlers={KeyError: told, TeardownErrors: told}
    )
    di.install(app, close="before")
    with TestClient(app) as client:
        response = client.get("/")
    assert response.status_code == 409
    assert response.text == ("KeyError" if count == 1 else "TeardownErrors")
    assert count == 2 or caught[0].__cause__ is cause


@pytest.mark.parametrize("error", [HTTPException(404), ValueError("x")])
def test_finalizers_see_the_exception(web: Web, error: Exception) -> None:
    """Before the answer to it is made, and the answer stays what it was."""
    log: list[str] = []

    async def fail(session: Inject[Session]) -> Response:
        raise error

    with client_of(container(log), web, web.Route("/", fail)) as client:
        assert client.get("/").status_code == (404 if isinstance(error, HTTPException) else 500)
    assert log == ["open", f"saw {type(error).__name__}", "close"]


def test_a_response_that_fails_is_an_exception(web: Web) -> None:
    """What breaks off while it is sent reaches the finalizers."""
    log: list[str] = []

    async def stream(session: Inject[Session]) -> Response:
        async def chunks() -> AsyncIterator[str]:
            yield "chunk"
            raise LookupError

        return StreamingResponse(chunks())

    with client_of(container(log), web, web.Route("/", stream)) as client:
        client.get("/")
    assert log[0] == "open"
    assert log[1].startswith("saw ")
    assert log[2:] == ["close"]


def test_class_endpoints_and_websockets(web: Web) -> None:
    """Methods are supplied; a WebSocket's scope lasts as long as it does."""
    log: list[str] = []

    class Item(web.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Request, repo: Inject[Repo]) -> Response:
            return PlainTextResponse(type(self).__name__)

        async def put(self, request: Request) -> Response:
            return PlainTextResponse("put")

    async def chat(websocket: WebSocket, session: Inject[Session]) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            log.append(text)

    di = container(log)
    routes = [web.Route("/item", Item), web.WebSocketRoute("/chat", chat)]
    with client_of(di, web, *routes) as client:
        assert client.get("/item").text == "Item"
        assert client.put("/item").text == "put"
        assert client.post("/item").status_code == 405
        assert routes[0].endpoint is Item
        log.clear()
        with client.websocket_connect("/chat") as websocket:
            websocket.send_text("hello")
    assert log[:2] == ["open", "hello"]
    assert log[-1] == "close"


def test_exception_handlers(web: Web) -> None:
    """They ask like endpoints; their scope is their own."""
    log: list[str] = []

    async def handler(request: Request, exc: Exception, repo: Inject[Repo]) -> Response:
        return PlainTextResponse(f"{exc} {type(repo).__name__}", 409)

    async def fail(session: Inject[Session]) -> Response:
        raise LookupError("gone")

    client = client_of(
        container(log), web, web.Route("/", fail), exception_handlers={LookupError: handler}
    )
    with client:
        answer = client.get("/")
    assert (answer.status_code, answer.text) == (409, "gone Repo")
    assert log == ["open", "saw LookupError", "close", "open", "close"]


def test_middleware_shares_the_scope_of_the_request(web: Web) -> None:
    """A dispatch that asks, as a method and as a function, gets what the endpoint gets."""
    log: list[str] = []
    found: list[Any] = []

    class Audit(web.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(
            self, request: Request, call_next: Callable[..., Any], session: Inject[Session]
        ) -> Response:
            found.append(session)
            response: Response = await call_next(request)
            log.append("audit")
            return response

    async def dispatch(
        request: Request, call_next: Callable[..., Any], repo: Inject[Repo]
    ) -> Response:
        found.append(repo.session)
        response: Response = await call_next(request)
        return response

    async def show(repo: Inject[Repo]) -> Response:
        found.append(repo.session)
        return Response()

    async def fail(repo: Inject[Repo]) -> Response:
        raise HTTPException(418)

    client = client_of(
        container(log),
        web,
        web.Route("/", show),
        web.Route("/fail", fail),
        middleware=[
            web.Middleware(Audit),
            web.Middleware(web.BaseHTTPMiddleware, dispatch=dispatch),
        ],
    )
    with client:
        assert client.get("/").status_code == 200
        assert len(set(map(id, found))) == 1
        assert len(found) == 3
        assert log == ["open", "audit", "close"]
        log.clear()
        assert client.get("/fail").status_code == 418
        assert log == ["open", "audit", "saw HTTPException", "close"]


def test_background_tasks_have_a_scope_of_their_own(web: Web) -> None:
    """By `inject`, which opens it when the task runs."""
    log: list[str] = []
    di = container(log)

    async def mail(address: str, session: Inject[Session]) -> None:
        log.append(f"mail {address}")

    async def order(lazy: Lazy[Session]) -> Response:
        return Response(background=BackgroundTask(di.inject(mail), "ada"))

    with client_of(di, web, web.Route("/", order)) as client:
        client.get("/")
    assert log == ["open", "mail ada", "close"]


def test_the_lifespan_opens_the_container(web: Web) -> None:
    """Given as the lifespan, or around the application's own."""
    log: list[str] = []

    def build(own: Any = None) -> Any:
        di = Container()

        @di.provide(scope="app")
        async def session() -> AsyncIterator[Session]:
            log.append("open")
            yield Session()
            log.append("close")

        async def show(session: Inject[Session]) -> Response:
            log.append("handle")
            return Response()

        app = web.Starlette(routes=[web.Route("/", show)], lifespan=own or di.lifespan)
        di.install(app)
        return app

    import contextlib

    @contextlib.asynccontextmanager
    async def own(app: Any) -> AsyncIterator[dict[str, Any]]:
        log.append("own")
        yield {"x": 1}
        log.append("own ended")

    for app in (build(), build(own)):
        for _ in range(2):
            with TestClient(app) as client:
                client.get("/")
    assert (
        log
        == ["open", "handle", "close"] * 2
        + [
            "open",
            "own",
            "handle",
            "own ended",
            "close",
        ]
        * 2
    )


def test_without_a_lifespan_the_first_request_builds(web: Web) -> None:
    """As where an application is mounted in another, or tested without ``with``."""
    di = Container()
    di.add(Session, scope="app")
    found: list[Session] = []

    async def show(session: Inject[Session]) -> Response:
        found.append(session)
        return Response()

    client = client_of(di, web, web.Route("/", show))
    client.get("/")
    client.get("/")
    assert found[0] is found[1]


def test_routes_added_later_are_found_at_the_start(web: Web) -> None:
    """Before that they are unknown; so are those of an application mounted within."""
    di = container([])

    async def show(repo: Inject[Repo]) -> Response:
        return PlainTextResponse(type(repo).__name__)

    inner = web.Starlette(routes=[web.Route("/", show)])
    app = web.Starlette(routes=[web.Mount("/inner", inner)])
    di.install(app)
    app.router.routes.append(web.Route("/late", show))
    with TestClient(app) as client:
        assert client.get("/late").text == "Repo"
        assert client.get("/inner/").text == "Repo"


def test_routes_with_middleware_keep_it(web: Web) -> None:
    """Only the innermost application is another."""
    seen: list[str] = []

    class Noting:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["path"])
            await self.app(scope, receive, send)

    async def show(repo: Inject[Repo]) -> Response:
        return PlainTextResponse("shown")

    route = web.Route("/", show, middleware=[web.Middleware(Noting)])
    with client_of(container([]), web, route) as client:
        assert client.get("/").text == "shown"
    assert seen == ["/"]


def test_overrides_reach_handlers_that_are_compiled(web: Web) -> None:
    """Nested, and undone in turn; also what was built from the overridden."""
    di = Container()
    di.add(Session, scope="app")

    class Service:
        def __init__(self, session: Session) -> None:
            self.session = session

    di.add(Service, scope="app")

    async def show(service: Inject[Service]) -> Response:
        return PlainTextResponse(type(service.session).__name__)

    class Fake(Session): ...

    class Other(Session): ...

    with client_of(di, web, web.Route("/", show)) as client:
        assert client.get("/").text == "Session"
        with di.override({Session: Fake()}):
            assert client.get("/").text == "Fake"
            with di.override({Session: Other()}):
                assert client.get("/").text == "Other"
            assert client.get("/").text == "Fake"
        assert client.get("/").text == "Session"


def test_faults_of_handlers_are_listed_with_the_rest(web: Web) -> None:
    """A parameter that nobody provides, one without annotation, and a path of another type."""

    async def unknown(request: Request, what: bytes) -> Response: ...

    async def bare(request: Request, what) -> Response: ...  # type: ignore[no-untyped-def]

    async def mismatch(number: int) -> Response: ...

    di = Container()
    app = web.Starlette(
        routes=[
            web.Route("/a", unknown),
            web.Route("/b", bare),
            web.Route("/c/{number}", mismatch),
        ]
    )
    di.install(app)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert sorted(each.number for each in caught.value.exceptions) == ["DI001", "DI007", "DI009"]


def test_a_websocket_has_no_request(web: Web) -> None:
    """A provider that needs the Request is a fault where a WebSocket asks."""

    class NeedsRequest:
        def __init__(self, request: Request) -> None: ...

    async def chat(websocket: WebSocket, found: Inject[NeedsRequest]) -> None: ...

    di = Container()
    di.add(NeedsRequest)
    di.install(web.Starlette(routes=[web.WebSocketRoute("/", chat)]))
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert [each.number for each in caught.value.exceptions] == ["DI011"]


def test_a_request_that_is_cancelled_is_torn_down(web: Web) -> None:
    """As when a server gives up on a client that went away."""
    log: list[str] = []

    async def wait(session: Inject[Session]) -> Response:
        started.set()
        await asyncio.sleep(3600)
        return Response()

    app = web.Starlette(routes=[web.Route("/", wait)])
    container(log).install(app)
    started = asyncio.Event()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }

    async def receive() -> Any:
        await asyncio.sleep(3600)

    async def send(message: Any) -> None: ...

    async def main() -> None:
        task = asyncio.create_task(app(scope, receive, send))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["open", "saw CancelledError", "close"]


class Slug(str): ...


UserId = NewType("UserId", int)


@pytest.mark.parametrize(
    ("path", "hint", "fits"),
    [
        ("{value:int}", Any, True),
        ("{value}", Any, True),
        ("{value:int}", object, True),
        ("{value:int}", UserId, True),
        ("{value}", UserId, False),
        ("{value:int}", int | None, True),
        ("{value}", int | None, False),
        ("{value}", str | int, True),
        ("{value:int}", float, True),
        ("{value:float}", int, False),
        ("{value:int}", bool, False),
        ("{value}", bool, False),
        ("{value}", Annotated[str, "text"], True),
        ("{value}", Annotated[int, "text"], False),
        ("{value}", Literal["a", "b"], True),
        ("{value}", Literal[1, 2], False),
        ("{value}", Slug, False),
        ("{value:path}", str, True),
        ("{value:uuid}", uuid.UUID, True),
        ("{value:uuid}", str, False),
    ],
)
def test_hints_of_path_parameters(path: str, hint: Any, fits: bool) -> None:
    """They are looked at through Optional, NewType and Annotated."""

    async def show(value: Any, session: Inject[Session]) -> Response:
        return Response(repr(value))

    show.__annotations__["value"] = hint
    di = container([])
    app = starlette.applications.Starlette(routes=[starlette.routing.Route(f"/{path}", show)])
    di.install(app)
    if fits:
        di.validate()
        return
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    (fault,) = caught.value.exceptions
    assert fault.number == "DI009"
    assert "and its route gives" in fault.cause


def test_convertors_whose_type_cannot_be_read() -> None:
    """They give what the handler says."""

    class Odd(starlette.convertors.Convertor[Any]):
        regex = "[a-z]+"

        def convert(self, value: str) -> Elsewhere:  # type: ignore[name-defined]  # noqa: F821
            return value

        def to_string(self, value: Any) -> str:
            return str(value)

    class Maybe(Odd):
        def convert(self, value: str) -> Slug | None:
            return Slug(value)

    starlette.convertors.register_url_convertor("odd", Odd())
    starlette.convertors.register_url_convertor("maybe", Maybe())

    async def show(a: int, b: Slug, session: Inject[Session]) -> Response:
        return PlainTextResponse(f"{a}{type(b).__name__}")

    di = container([])
    route = starlette.routing.Route("/{a:odd}/{b:maybe}", show)
    try:
        client = client_of(di, web_of(starlette), route)
    finally:
        del starlette.convertors.CONVERTOR_TYPES["odd"]
        del starlette.convertors.CONVERTOR_TYPES["maybe"]
    assert client.get("/x/y").text == "xSlug"


@pytest.mark.parametrize("close", ["after", "before"])
@pytest.mark.parametrize("fails", [False, True])
def test_what_is_made_while_the_response_is_sent_is_torn_down(
    web: Web, close: str, fails: bool
) -> None:
    """A stream may ask lazily; once all is closed, nobody may."""
    log: list[str] = []
    kept: list[Lazy[Session]] = []

    async def stream(session: Lazy[Session]) -> Response:
        kept.append(session)

        async def chunks() -> AsyncIterator[str]:
            try:
                await session.get()
            except ScopeClosed:
                log.append("told")
            yield "chunk"
            log.append("chunk")
            if fails:
                raise KeyError

        return StreamingResponse(chunks())

    client = client_of(container(log), web, web.Route("/", stream), close=close)
    client.get("/")
    if close == "before":
        assert log == ["told", "chunk"]
    else:
        assert log == ["open", "chunk", *(["saw KeyError"] if fails else []), "close"]
    with pytest.raises(ScopeClosed):
        asyncio.run(kept[0].get())
    assert log.count("open") == log.count("close")


@pytest.mark.parametrize("fails", [False, True])
def test_scopes_end_with_what_has_opened_them(web: Web, fails: bool) -> None:
    """Also those of functions that are injected, and those that middleware shares."""
    log: list[str] = []
    kept: list[Scope] = []
    di = container(log)

    async def job(scope: Inject[Scope]) -> None:
        kept.append(scope)
        if fails:
            raise KeyError

    async def dispatch(request: Request, call_next: Any, session: Inject[Session]) -> Response:
        return await call_next(request)  # type: ignore[no-any-return]

    async def show(scope: Inject[Scope]) -> Response:
        kept.append(scope)
        await di.call(job)
        return Response()

    middleware = [web.Middleware(web.BaseHTTPMiddleware, dispatch=dispatch)]
    client = client_of(di, web, web.Route("/", show), middleware=middleware)
    client.get("/")
    assert len(kept) == 2
    for scope in kept:
        with pytest.raises(ScopeClosed):
            asyncio.run(scope.get(Session))
    assert log.count("open") == log.count("close") == 1
