"""An application as people write them: type checkers find the same in it with swapped imports."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket


class Timing(BaseHTTPMiddleware):
    def __init__(self, app: ASGIApp, header: str = "x-time") -> None:
        super().__init__(app)
        self.header = header

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers[self.header] = request.url.path
        return response


class Cors(CORSMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


class Pretty(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        return super().render({"content": content})


class TenantRequest(Request):
    @property
    def tenant(self) -> str:
        return self.headers.get("x-tenant", self.query_params.get("tenant", ""))


class Versioned(Route):
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return match, child


class Item(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        item: int = request.path_params["id"]
        return JSONResponse({"id": item, "at": str(request.url_for("item", id=item))})


class Echo(WebSocketEndpoint):
    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_json(data)


async def home(request: Request) -> PlainTextResponse:
    text = PlainTextResponse("hello", status_code=200, headers={"x": "y"})
    text.set_cookie("seen", "1", max_age=60)
    return text


def go(request: Request) -> RedirectResponse:
    return RedirectResponse(request.url_for("home"))


async def chunks() -> AsyncGenerator[bytes]:
    yield b"chunk"


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(chunks(), media_type="text/plain")


async def body(request: Request) -> Response:
    data: dict[str, Any] = await request.json()
    if await request.is_disconnected():
        raise HTTPException(400, detail="gone")
    async with request.form() as form:
        data.update(form)
    return Pretty(data)


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def not_found(request: Request, exc: Exception) -> Response:
    return HTMLResponse(f"<h1>{request.method}</h1>", status_code=404)


def failed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, status_code=500)


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    request = TenantRequest(scope, receive, send)
    connection: HTTPConnection = request
    await FileResponse(connection.headers["file"])(scope, receive, send)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, Any]]:
    app.state.ready = True
    yield {"ready": True}


router = Router([Route("/", home), Versioned("/v", home)], redirect_slashes=False)
routes: list[BaseRoute] = [
    Route("/", home, name="home"),
    Route("/go", go, methods=["GET"]),
    Route("/body", body, methods=["POST"]),
    Route("/items/{id:int}", Item, name="item"),
    WebSocketRoute("/ws", socket),
    WebSocketRoute("/echo", Echo),
    Mount("/sub", routes=[Route("/stream", stream)], name="sub"),
    Mount("/raw", app=raw),
    Host("api.example.org", router),
]


class App(Starlette):
    def build_middleware_stack(self) -> ASGIApp:
        return super().build_middleware_stack()


app = App(
    routes=routes,
    middleware=[Middleware(Timing, header="x"), Middleware(Cors, allow_origins=["*"])],
    exception_handlers={404: not_found, Exception: failed},
    lifespan=lifespan,
)
app.add_middleware(GZipMiddleware, minimum_size=500)
app.add_route("/late", home, methods=["GET"])
app.add_exception_handler(ValueError, failed)
app.mount("/again", router)
app.router.add_route("/later", go)
url: str = app.url_path_for("item", id=2)
owner: Router = app.router

# What is wrong on stock is wrong here.
app.add_route(1, home)
app.add_middleware(GZipMiddleware, level="high")
PlainTextResponse("", status=200)
Item(1, 2, 3).nothing()


def describe(found: object) -> str:
    match found:
        case Request():
            return found.method
        case JSONResponse() | PlainTextResponse():
            return str(found.status_code)
        case Mount() | Route():
            return found.path
        case _:
            return ""
