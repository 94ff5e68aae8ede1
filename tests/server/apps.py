"""Applications that say what they were asked."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["echo", "hello", "responding", "sending"]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Says hello, without a look at the body."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Tells of the request, after it has read the body."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    shown = {key: scope[key] for key in ("method", "path", "http_version", "scheme", "root_path")}
    shown |= {key: scope[key].decode("latin-1") for key in ("raw_path", "query_string")}
    shown["headers"] = [[part.decode("latin-1") for part in pair] for pair in scope["headers"]]
    shown["body"] = body.decode("latin-1")
    data = json.dumps(shown).encode()
    headers = [(b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def sending(*messages: dict[str, Any], returns: Any = None) -> Any:
    """An application that sends these messages."""

    async def app(scope: Any, receive: Any, send: Any) -> Any:
        for message in messages:
            await send(message)
        return returns

    return app


def responding(status: int = 200, headers: Any = (), body: bytes = b"", pieces: int = 1) -> Any:
    """An application that answers so, the body in that many pieces."""
    size = -(-len(body) // pieces) or 1
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    return sending(
        {"type": "http.response.start", "status": status, "headers": headers},
        *[
            {"type": "http.response.body", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, start=1)
        ],
    )
