"""What the applications are asked, by calling them as an ASGI server does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ask:
    """One request, or one connection of a websocket that sends a text and goes away."""

    path: str
    method: str = "GET"
    body: bytes = b""
    type: str = "http"

    def __str__(self) -> str:
        return f"{self.method if self.type == 'http' else self.type} {self.path}"

    def scope(self) -> dict[str, Any]:
        headers = [(b"host", b"example.org"), (b"authorization", b"Basic anna")]
        if self.body:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(self.body)).encode()))
        scope: dict[str, Any] = {
            "type": self.type,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "http" if self.type == "http" else "ws",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.1", 4711),
            "server": ("example.org", 80),
            "state": {},
        }
        if self.type == "http":
            scope["method"] = self.method
        else:
            scope["subprotocols"] = []
        return scope

    def messages(self) -> list[dict[str, Any]]:
        if self.type == "websocket":
            return [
                {"type": "websocket.connect"},
                {"type": "websocket.receive", "text": "hello"},
                {"type": "websocket.disconnect", "code": 1000},
            ]
        return [
            {"type": "http.request", "body": self.body, "more_body": False},
            {"type": "http.disconnect"},
        ]


DOCUMENT = json.dumps({"name": "tea", "price": 7}).encode()

#: Understood by both applications.
ASKS: Sequence[Ask] = (
    Ask("/"),
    Ask("/sync"),
    Ask("/items/7"),
    Ask("/items/x"),
    Ask("/class"),
    Ask("/class", method="POST", body=DOCUMENT),
    Ask("/class", method="DELETE"),
    Ask("/echo", method="POST", body=DOCUMENT),
    Ask("/", method="PUT"),
    Ask("/sync/"),
    Ask("/none"),
    Ask("/teapot"),
    Ask("/unavailable"),
    Ask("/sync-unavailable"),
    Ask("/handled"),
    Ask("/boom"),
    Ask("/sync-boom"),
    Ask("/background"),
    Ask("/later-boom"),
    Ask("/stream"),
    Ask("/group/inner/3"),
    Ask("/group/teapot"),
    Ask("/group/none"),
    Ask("/app/inner"),
    Ask("/app/boom"),
    Ask("/app/none"),
    Ask("/socket", type="websocket"),
    Ask("/socket-boom", type="websocket"),
    Ask("/none", type="websocket"),
    Ask("/"),
)

#: What happened inside of an application since the last request.
LOG: list[str] = []


async def ask(app: Any, question: Ask) -> dict[str, Any]:
    """Put one request to an application, and tell what came of it as plain data."""
    waiting = question.messages()
    sent: list[dict[str, Any]] = []

    answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        message = waiting.pop(0)
        if message["type"] == "http.disconnect":
            await answered.wait()
        return message

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()
        sent.append({key: _plain(value) for key, value in message.items()})

    LOG.clear()
    raised = None
    try:
        await app(question.scope(), receive, send)
    except Exception as exc:
        raised = f"{type(exc).__name__}: {exc}"
    return {"ask": str(question), "sent": sent, "raised": raised, "log": [*LOG]}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
