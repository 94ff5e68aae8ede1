"""The applications that `benchmarks.server` serves, one per process: ``uvicorn --factory``."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.asgi import ASGIApp, Receive, Scope, Send
from benchmarks.sides import STOCK, TURBOSTAR, Side

__all__ = [
    "MEBIBYTE",
    "fastapi",
    "raw",
    "stock",
    "stock_middleware",
    "turbostar",
    "turbostar_middleware",
]

MEBIBYTE = 1024 * 1024
_CHUNK = b"x" * 65536


def raw() -> ASGIApp:
    """The same answers from one function: what the server itself costs, and a little Python."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"this application knows no {scope['type']}")
        if scope["path"] == "/download":
            await _send_chunks(send)
        else:
            await _send_json(send, await _content(scope["path"], receive))

    return app


async def _content(path: str, receive: Receive) -> Any:
    if path == "/":
        return {"hello": "world"}
    if path.startswith("/items/"):
        return {"id": int(path[7:])}
    if path == "/upload":
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        return {"size": size}
    if path == "/echo":
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return msgspec.json.decode(body)
    _, _, number, _, item = path.split("/")[1:]
    return {"id": int(number), "item": item}


async def _send_json(send: Send, content: Any) -> None:
    body = msgspec.json.encode(content)
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_chunks(send: Send) -> None:
    headers = [(b"content-length", b"%d" % MEBIBYTE), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(MEBIBYTE // len(_CHUNK)):
        await send({"type": "http.response.body", "body": _CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def fastapi() -> ASGIApp:
    """One path operation on stock FastAPI."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app


def stock() -> ASGIApp:
    """The routes on stock Starlette."""
    return _application(STOCK)


def turbostar() -> ASGIApp:
    """The routes on turbostar."""
    return _application(TURBOSTAR)


def stock_middleware() -> ASGIApp:
    """The routes on stock Starlette, with one BaseHTTPMiddleware."""
    return _with_middleware(STOCK)


def turbostar_middleware() -> ASGIApp:
    """The routes on turbostar, with one BaseHTTPMiddleware."""
    return _with_middleware(TURBOSTAR)


def _application(web: Side, *middleware: Any) -> ASGIApp:
    """The small routes come first, so that the 120 behind them cost them nothing."""

    async def hello(request: Any) -> Any:
        return web.JSONResponse({"hello": "world"})

    async def item(request: Any) -> Any:
        return web.JSONResponse({"id": request.path_params["id"]})

    async def echo(request: Any) -> Any:
        return web.JSONResponse(await request.json())

    async def part(request: Any) -> Any:
        values = request.path_params
        return web.JSONResponse({"id": values["id"], "item": values["item"]})

    routes = [
        web.Route("/", hello),
        web.Route("/items/{id:int}", item),
        web.Route("/echo", echo, methods=["POST"]),
    ]
    for group in range(30):
        path = f"/v1/resources{group}"
        routes += [
            web.Route(path, hello, methods=["GET", "POST"]),
            web.Route(f"{path}/{{id:int}}", item, methods=["GET", "PUT", "DELETE"]),
            web.Route(f"{path}/{{id:int}}/items", item, methods=["GET", "POST"]),
            web.Route(f"{path}/{{id:int}}/items/{{item}}", part, methods=["GET"]),
        ]
    return web.application(routes=routes, middleware=list(middleware))


def _with_middleware(web: Side) -> ASGIApp:
    class AddHeader(web.BaseHTTPMiddleware):  # type: ignore[misc,name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["x-layer"] = "yes"
            return response

    return _application(web, web.Middleware(AddHeader))
