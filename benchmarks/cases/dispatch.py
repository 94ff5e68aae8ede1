"""What happens around an endpoint: one route, and each kind of endpoint and answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from benchmarks.asgi import BROWSER_HEADERS, ASGIApp, ClientRequest, Receive, Scope, Send
from benchmarks.cases import Case
from benchmarks.sides import Side

__all__ = ["CASES", "ECHO", "JSON", "raw_json"]

_KIBIBYTE = json.dumps(
    {
        "id": 4711,
        "customer": {"name": "Ada Lovelace", "email": "ada@example.org", "vip": True},
        "items": [
            {"sku": f"KET-{n:04}", "name": "Copper kettle", "price": 129.5 + n, "quantity": n}
            for n in range(12)
        ],
        "note": "Please leave the parcel with the neighbour; the bell does not work. " * 2,
    },
    separators=(",", ":"),
).encode()


def _json(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.JSONResponse({"hello": "world"})

    return web.application(routes=[web.Route("/", endpoint)])


async def raw_json(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer of the JSON case by hand: what the framework's part is counted from."""
    body = msgspec.json.encode({"hello": "world"})
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _class(web: Side) -> ASGIApp:
    class Endpoint(web.HTTPEndpoint):  # type: ignore[misc,name-defined]
        async def get(self, request: Any) -> Any:
            return web.JSONResponse({"hello": "world"})

    return web.application(routes=[web.Route("/", Endpoint)])


def _echo(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.JSONResponse(await request.json())

    return web.application(routes=[web.Route("/echo", endpoint, methods=["POST"])])


def _raising(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        raise web.HTTPException(404, "No such item")

    return web.application(routes=[web.Route("/", endpoint)])


def _streaming(web: Side) -> ASGIApp:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"line %d of a short report\n" % number

    async def endpoint(request: Any) -> Any:
        return web.StreamingResponse(chunks(), media_type="text/plain")

    return web.application(routes=[web.Route("/", endpoint)])


def _sync(web: Side) -> ASGIApp:
    def endpoint(request: Any) -> Any:
        return web.JSONResponse({"hello": "world"})

    return web.application(routes=[web.Route("/", endpoint)])


def _websocket(web: Side) -> ASGIApp:
    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    return web.application(routes=[web.WebSocketRoute("/echo", endpoint)])


JSON = Case(name="JSON, 1 route", build=_json, request=ClientRequest(), target=5.5)
ECHO = Case(
    name="POST JSON, 1 KiB in and out",
    build=_echo,
    request=ClientRequest(
        method="POST",
        path="/echo",
        headers=(
            *BROWSER_HEADERS,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_KIBIBYTE)),
        ),
        body=_KIBIBYTE,
    ),
    target=5,
)

CASES = [
    JSON,
    Case(name="HTTPEndpoint class", build=_class, request=ClientRequest(), target=4.5),
    ECHO,
    Case(
        name="handled HTTPException",
        build=_raising,
        request=ClientRequest(),
        status=404,
        target=3.5,
    ),
    Case(
        name="StreamingResponse, 3 chunks",
        build=_streaming,
        request=ClientRequest(),
        looped=True,
        target=6,
    ),
    Case(
        name="sync endpoint, with its thread",
        build=_sync,
        request=ClientRequest(),
        looped=True,
        target=1.15,
    ),
    Case(
        name="WebSocket accept, echo, close",
        build=_websocket,
        request=ClientRequest(
            path="/echo",
            websocket=(
                {"type": "websocket.connect"},
                {"type": "websocket.receive", "text": "How much is the kettle?"},
                {"type": "websocket.disconnect", "code": 1000, "reason": None},
            ),
        ),
        status=0,
        target=1.5,
    ),
]
