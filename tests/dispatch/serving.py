"""What the tests of the dispatch share: an application's layers, and one request to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.asgi import Client, Visit
from turbostar.applications import Starlette

__all__ = ["Call", "exchange", "layers_of", "types"]

#: `call(scope, receive, send)`: what is to be tested.
Call = Callable[[Any, Any, Any], Awaitable[None]]


def layers_of(app: Starlette) -> tuple[Any, Any, Any]:
    """The ServerErrorMiddleware, ExceptionMiddleware and router of an application."""
    server: Any = app.build_middleware_stack()
    return server, server.app, server.app.app


def exchange(call: Call, path: str, **fields: Any) -> tuple[Client, dict[str, Any], Any]:
    """The client of one request, its scope, and what was raised."""
    visit = Visit(path, **fields)
    client, scope = Client(visit), visit.scope()

    async def work() -> Exception | None:
        try:
            await call(scope, client.receive, client.send)
        except Exception as exc:
            return exc
        return None

    return client, scope, asyncio.run(work())


def types(client: Client) -> list[str]:
    """What kinds of messages were sent: ``["start", "body"]`` for a complete response."""
    return [message["type"].rpartition(".")[2] for message in client.sent]
