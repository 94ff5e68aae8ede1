"""What the applications are asked, by calling them as an ASGI server does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.asgi import Ask, Client, Visit


def question(path: str, method: str = "GET", body: bytes = b"", type: str = "http") -> Ask:
    """One request, or one connection of a websocket that sends a text and goes away."""
    headers = [(b"authorization", b"Basic anna")]
    if body:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(body)).encode()))
    more = (("client", ("192.0.2.1", 4711)), ("server", ("example.org", 80)), ("state", {}))
    fields: dict[str, Any] = {"host": "example.org", "headers": tuple(headers), "extra": more}
    return Visit(path, method, type, body=(body,), messages=("hello",), **fields)


DOCUMENT = json.dumps({"name": "tea", "price": 7}).encode()

#: Understood by both applications.
ASKS: Sequence[Ask] = (
    question("/"),
    question("/sync"),
    question("/items/7"),
    question("/items/x"),
    question("/class"),
    question("/class", method="POST", body=DOCUMENT),
    question("/class", method="DELETE"),
    question("/echo", method="POST", body=DOCUMENT),
    question("/", method="PUT"),
    question("/sync/"),
    question("/none"),
    question("/teapot"),
    question("/unavailable"),
    question("/sync-unavailable"),
    question("/handled"),
    question("/boom"),
    question("/sync-boom"),
    question("/background"),
    question("/later-boom"),
    question("/stream"),
    question("/group/inner/3"),
    question("/group/teapot"),
    question("/group/none"),
    question("/app/inner"),
    question("/app/boom"),
    question("/app/none"),
    question("/socket", type="websocket"),
    question("/socket-boom", type="websocket"),
    question("/none", type="websocket"),
    question("/"),
)

#: What happened inside of an application since the last request.
LOG: list[str] = []


async def ask(app: Any, asked: Ask) -> dict[str, Any]:
    """Put one request to an application, and tell what came of it as plain data."""
    client = Client(asked)
    LOG.clear()
    raised = None
    try:
        await app(asked.scope(), client.receive, client.send)
    except Exception as exc:
        raised = f"{type(exc).__name__}: {exc}"
    named = f"{asked.method if asked.type == 'http' else asked.type} {asked.path}"
    return {"ask": named, "sent": _plain(client.sent), "raised": raised, "log": [*LOG]}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
