"""Classes as endpoints, and the handlers of exceptions: on stock, in place, and swapped."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser, requires
from starlette.endpoints import WebSocketEndpoint
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.di.test_starlette import Session, Web, client_of, container, web
from turbostar.di import Container, Inject, Query, WiringErrors

__all__ = ["web"]  # a fixture


@attrs.define
class Shelf:
    session: Session
    _depth: int = 3
    names: list[str] = attrs.field(factory=lambda: ["a"])

    def told(self) -> str:
        return f"{self._depth} {self.names}"


def shelves(log: list[str]) -> Container:
    di = container(log)
    di.add(Shelf)
    return di


def test_methods_of_classes(web: Web) -> None:
    """Inherited ones, sync ones, and those that are static, of a class or decorated."""

    class Base(web.HTTPEndpoint):  # type: ignore[name-defined,misc]
        async def get(self, request: Request, shelf: Inject[Shelf]) -> Response:
            return PlainTextResponse(f"{type(self).__name__} {shelf.told()}")

    class One(Base): ...

    class Two(Base):
        def post(self, request, shelf: Shelf, size: Query[int] = 1) -> Response:  # type: ignore[no-untyped-def]
            return PlainTextResponse(f"{size} {shelf.told()}")

        @staticmethod
        async def patch(request: Request, shelf: Shelf) -> Response:
            return PlainTextResponse(f"{request.method} {shelf.told()}")

        @classmethod
        async def delete(cls, request: Request, shelf: Shelf) -> Response:
            return PlainTextResponse(f"{request.method} {shelf.told()} {issubclass(cls, Two)}")

        @requires("authenticated")
        async def put(self, request: Request, shelf: Shelf) -> Response:
            return PlainTextResponse(request.user.display_name)

    class Everyone(AuthenticationBackend):
        async def authenticate(self, conn: HTTPConnection) -> Any:
            if "authorization" in conn.headers:
                return AuthCredentials(["authenticated"]), SimpleUser("ann")
            return None

    log: list[str] = []
    middleware = [web.Middleware(AuthenticationMiddleware, backend=Everyone())]
    routes = [web.Route("/one", One), web.Route("/two", Two)]
    with client_of(shelves(log), web, *routes, middleware=middleware) as client:
        assert client.get("/one").text == "One 3 ['a']"
        assert client.get("/two").text == "Two 3 ['a']"
        assert client.post("/two?size=4").text == "4 3 ['a']"
        assert client.post("/two?size=x").status_code == 422
        assert client.patch("/two").text == "PATCH 3 ['a']"
        assert client.delete("/two").text == "DELETE 3 ['a'] True"
        assert client.put("/two", headers={"authorization": "x"}).text == "ann"
        assert log == ["open", "close"] * 6
        assert client.put("/two").status_code == 403
        assert log[-3:] == ["open", "saw HTTPException", "close"]


class Refused(Exception): ...


def test_handlers_of_exceptions(web: Web) -> None:
    """Of classes, of statuses, of all that is left, sync ones; each in a scope of its own."""

    async def refused(request: Request, exc: Exception, shelf: Inject[Shelf]) -> Response:
        return PlainTextResponse(f"{type(exc).__name__} {shelf.told()}", 418)

    def missing(request, exc, shelf: Inject[Shelf]) -> Response:  # type: ignore[no-untyped-def]
        return PlainTextResponse(f"missing {shelf.told()}", 404)

    async def other(request: Request, exc: Exception, shelf: Inject[Shelf]) -> Response:
        return PlainTextResponse(f"other {shelf.told()}", 500)

    async def fail(kind: str, shelf: Inject[Shelf]) -> Response:
        raise {"refused": Refused}.get(kind, KeyError)

    log: list[str] = []
    handlers: Any = {Refused: refused, 404: missing, Exception: other}
    route = web.Route("/{kind}", fail)
    with client_of(shelves(log), web, route, exception_handlers=handlers) as client:
        answer = client.get("/refused")
        assert (answer.status_code, answer.text) == (418, "Refused 3 ['a']")
        assert log == ["open", "saw Refused", "close", "open", "close"]
        assert client.get("/").text == "missing 3 ['a']"
        assert client.get("/x").text == "other 3 ['a']"
        assert log.count("open") == log.count("close") == 5


@pytest.mark.parametrize("close", ["after", "before"])
def test_handlers_of_exceptions_in_websockets(web: Web, close: str) -> None:
    """They return nothing, and their finalizers are run."""

    async def refused(websocket: WebSocket, exc: Exception, shelf: Inject[Shelf]) -> None:
        await websocket.close(4000, shelf.told())

    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Refused

    log: list[str] = []
    handlers: Any = {Refused: refused}
    client = client_of(
        shelves(log), web, web.WebSocketRoute("/", chat), exception_handlers=handlers, close=close
    )
    with client.websocket_connect("/") as websocket, pytest.raises(WebSocketDisconnect) as caught:
        websocket.receive_text()
    assert (caught.value.code, caught.value.reason) == (4000, "3 ['a']")
    assert log == ["open", "close"]


class Room:
    def __init__(self, session: Session, websocket: WebSocket) -> None:
        self.session, self.path = session, websocket.url.path


def test_websocket_endpoints(web: Web) -> None:
    """Their methods are supplied; what they get lives as long as the connection."""
    log: list[str] = []
    di = container(log)
    di.add(Room)

    class Chat(WebSocketEndpoint):
        encoding = "text"

        async def on_connect(  # type: ignore[override]
            self, websocket: WebSocket, name: str, room: Inject[Room], size: Query[int] = 3
        ) -> None:
            self.session = room.session
            await websocket.accept()
            await websocket.send_text(f"{name} {room.path} {size}")

        async def on_receive(  # type: ignore[override]
            self, websocket: WebSocket, data: str, room: Room, session: Inject[Session]
        ) -> None:
            if data == "fail":
                raise KeyError
            same = room.session is session is self.session
            await websocket.send_text(f"{data} {same}")

        async def on_disconnect(  # type: ignore[override]
            self, websocket: WebSocket, close_code: int, room: Room
        ) -> None:
            log.append(f"left {close_code} {room.session is self.session}")

    route = web.WebSocketRoute("/{name}", Chat)
    with client_of(di, web, route) as client:
        with client.websocket_connect("/ann?size=7") as websocket:
            assert websocket.receive_text() == "ann /ann 7"
            websocket.send_text("hello")
            assert websocket.receive_text() == "hello True"
            assert log == ["open"]
        assert log == ["open", "left 1000 True", "close"]
        log.clear()
        with pytest.raises(KeyError):
            _fail(client)
        assert log == ["open", "left 1011 True", "saw KeyError", "close"]
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ann?size=x"):
            pass


def _fail(client: Any) -> None:
    with client.websocket_connect("/ann") as websocket:
        assert websocket.receive_text() == "ann /ann 3"
        websocket.send_text("fail")
        websocket.receive_text()


def test_websocket_endpoints_that_ask_for_nothing_stay(web: Web) -> None:
    """Their route is not touched."""

    class Plain(WebSocketEndpoint):
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()

    route = web.WebSocketRoute("/", Plain)
    before = route.app
    di = container([])
    client_of(di, web, route)
    assert route.app is before
    assert di.handlers == []


def test_faults_of_websocket_endpoints(web: Web) -> None:
    """They are listed as those of functions are."""

    class Chat(WebSocketEndpoint):
        async def on_receive(self, websocket: WebSocket, data: Any, what: bytes) -> None: ...  # type: ignore[override]

    di = Container()
    di.install(web.Starlette(routes=[web.WebSocketRoute("/", Chat)]))
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert "Chat.on_receive" in str(caught.value.exceptions[0])
