"""A small application with one of everything, built of the names of Starlette or of turbostar."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from tests.patching.asking import LOG

_NAMES = {
    "applications": ("Starlette",),
    "authentication": ("AuthCredentials", "AuthenticationBackend", "SimpleUser"),
    "background": ("BackgroundTask", "BackgroundTasks"),
    "endpoints": ("HTTPEndpoint",),
    "exceptions": ("HTTPException",),
    "middleware": ("Middleware",),
    "middleware.authentication": ("AuthenticationMiddleware",),
    "middleware.base": ("BaseHTTPMiddleware",),
    "responses": ("JSONResponse", "PlainTextResponse", "StreamingResponse"),
    "routing": ("Mount", "Route", "WebSocketRoute"),
}


class Handled(Exception):
    """Answered by a handler of the application."""


class Pure:
    """A middleware of plain ASGI, which tells of the messages it passes on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            LOG.append(f"pure {message['type']}")
            await send(message)

        await self.app(scope, receive, tell)


def names(package: str) -> SimpleNamespace:
    """What an application imports, looked up now."""
    found = SimpleNamespace()
    for module, listed in _NAMES.items():
        for name in listed:
            value = getattr(importlib.import_module(f"{package}.{module}"), name)
            setattr(found, name, value)
    return found


def middleware_of(n: SimpleNamespace) -> list[Any]:
    """Middleware of each kind: Starlette's way of writing one, plain ASGI, and Starlette's own."""

    class Stamped(n.BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["x-stamp"] = "1"
            return response

    class Backend(n.AuthenticationBackend):
        async def authenticate(self, conn: Any) -> Any:
            name = conn.headers["authorization"].partition(" ")[2]
            return n.AuthCredentials(["authenticated"]), n.SimpleUser(name)

    return [
        n.Middleware(Stamped),
        n.Middleware(Pure),
        n.Middleware(n.AuthenticationMiddleware, backend=Backend()),
    ]


def build(package: str, *, middleware: bool) -> Any:
    """Build the application."""
    n = names(package)

    async def home(request: Any) -> Any:
        LOG.append("home")
        return n.JSONResponse({"hello": "world", "path": request.url.path})

    def sync(request: Any) -> Any:
        LOG.append("sync")
        return n.PlainTextResponse("sync")

    async def item(request: Any) -> Any:
        return n.JSONResponse(request.path_params)

    async def links(request: Any) -> Any:
        found = [request.url_for("item", id=7), request.url_for("group:inner", id="x")]
        found += [request.app.url_path_for("socket"), request.url_for("group", path="/y")]
        return n.JSONResponse([str(url) for url in found])

    async def echo(request: Any) -> Any:
        return n.JSONResponse(await request.json())

    async def teapot(request: Any) -> Any:
        raise n.HTTPException(418, "short and stout", headers={"x-pot": "tea"})

    async def unavailable(request: Any) -> Any:
        raise n.HTTPException(503)

    def sync_unavailable(request: Any) -> Any:
        raise n.HTTPException(503, "closed")

    async def handled(request: Any) -> Any:
        raise Handled("handled")

    async def boom(request: Any) -> Any:
        raise ValueError("boom")

    def sync_boom(request: Any) -> Any:
        raise ValueError("sync boom")

    async def work(word: str) -> None:
        LOG.append(word)

    def sync_work(word: str) -> None:
        LOG.append(word)

    async def failing_work() -> None:
        raise ValueError("later boom")

    async def background(request: Any) -> Any:
        tasks = n.BackgroundTasks()
        tasks.add_task(work, "async work")
        tasks.add_task(sync_work, "sync work")
        return n.JSONResponse([], background=tasks)

    async def later_boom(request: Any) -> Any:
        return n.JSONResponse([], background=n.BackgroundTask(failing_work))

    async def stream(request: Any) -> Any:
        async def chunks() -> AsyncIterator[str]:
            for letter in "abc":
                yield letter

        return n.StreamingResponse(chunks())

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    async def socket_boom(websocket: Any) -> None:
        await websocket.accept()
        raise ValueError("socket boom")

    async def answer(request: Any, exc: Exception) -> Any:
        LOG.append("handler")
        return n.JSONResponse({"error": str(exc)}, status_code=400)

    class Class(n.HTTPEndpoint):
        async def get(self, request: Any) -> Any:
            return n.JSONResponse("get")

        def post(self, request: Any) -> Any:
            return n.JSONResponse("post")

    grouped = [n.Route("/inner/{id}", item, name="inner"), n.Route("/teapot", teapot)]
    inner = n.Starlette(routes=[n.Route("/inner", home), n.Route("/boom", boom)])
    functions = (echo, links, teapot, unavailable, handled, boom, background, stream)
    routes = [
        n.Route("/", home, methods=["GET"]),
        n.Route("/sync", sync),
        n.Route("/items/{id:int}", item),
        n.Route("/class", Class),
        *(n.Route(f"/{it.__name__}", it, methods=["GET", "POST"]) for it in functions),
        n.Route("/sync-unavailable", sync_unavailable),
        n.Route("/sync-boom", sync_boom),
        n.Route("/later-boom", later_boom),
        n.Mount("/group", routes=grouped, name="group"),
        n.Mount("/app", app=inner),
        n.WebSocketRoute("/socket", socket),
        n.WebSocketRoute("/socket-boom", socket_boom),
    ]
    return n.Starlette(
        routes=routes,
        middleware=middleware_of(n) if middleware else [],
        exception_handlers={Handled: answer},
    )
