"""Serves requests to an application in process, and tells all that it answered."""

from __future__ import annotations

import asyncio
import copy
import importlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from tests.asgi import Ask, Client, Header, Message, Visit
from tests.fast_path.recorder import Recorder, recording

__all__ = ["Names", "Step", "get", "post", "serve", "websocket"]

_HOMES = {
    "applications": ("Starlette",),
    "background": ("BackgroundTask",),
    "endpoints": ("HTTPEndpoint",),
    "exceptions": ("HTTPException",),
    "middleware": ("Middleware",),
    "middleware.base": ("BaseHTTPMiddleware",),
    "middleware.body_limit": ("RequestBodyLimitMiddleware",),
    "middleware.cors": ("CORSMiddleware",),
    "middleware.gzip": ("GZipMiddleware",),
    "middleware.httpsredirect": ("HTTPSRedirectMiddleware",),
    "middleware.sessions": ("SessionMiddleware",),
    "middleware.trustedhost": ("TrustedHostMiddleware",),
    "requests": ("Request",),
    "responses": (
        "HTMLResponse",
        "JSONResponse",
        "PlainTextResponse",
        "RedirectResponse",
        "Response",
        "StreamingResponse",
    ),
    "routing": ("Host", "Mount", "Route", "Router", "WebSocketRoute"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


class Names:
    """What an application imports, as attributes: from ``starlette`` or from ``turbostar``."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        module = importlib.import_module(f"{self._package}.{_HOME_OF[name]}")
        return getattr(module, name)


def get(
    path: str,
    *headers: Header,
    messages: tuple[Message, ...] = ({"type": "http.request", "body": b""},),
    more: tuple[tuple[str, Any], ...] = (),
    fails_at: int | None = None,
    **fields: Any,
) -> Ask:
    """A GET request, or one of another `method`, for ``example.org``.

    Args:
        messages: what `receive` gives.
        more: what the scope has beside or instead of the usual.
        fails_at: the message whose sending fails, counted from zero.
    """
    given = (("server", ("127.0.0.1", 80)), ("state", {}), ("log", []), *more)
    fields |= {"incoming": messages, "extra": given, "fails": fails_at}
    return Visit(path, host="example.org", headers=headers, **fields)


def post(path: str, body: bytes, *headers: Header, **more: Any) -> Ask:
    """A POST request with a body in one message."""
    length = (b"content-length", b"%d" % len(body))
    messages = ({"type": "http.request", "body": body, "more_body": False},)
    return get(path, length, *headers, method="POST", messages=messages, **more)


def websocket(path: str, *texts: str) -> Ask:
    """A websocket on which these texts arrive."""
    received = tuple({"type": "websocket.receive", "text": text} for text in texts)
    end = {"type": "websocket.disconnect", "code": 1000}
    messages = ({"type": "websocket.connect"}, *received, end)
    return get(path, type="websocket", messages=messages)


#: A request, or something that is done between two of them.
Step = Ask | Callable[[], Any]

#: Of one request: the messages that were sent, what was raised, and what the scope held then.
Outcome = tuple[list[dict[str, Any]], str, dict[str, Any]]

#: After so many seconds a request that waits for ever is cancelled, and with it the run.
_PATIENCE = 5
_SHOWN = ("app_root_path", "log", "path", "path_params", "root_path", "session")


class _Client(Client):
    """A client that writes into the scope's log, in which applications may write, too."""

    def __init__(self, ask: Ask, log: list[str]) -> None:
        super().__init__(ask)
        self.log = log

    async def receive(self) -> Message:
        self.log.append("receive")
        return await super().receive()

    async def send(self, message: Any) -> None:
        self.log.append(f"send {message['type']}")
        await super().send(message)


async def _serve_one(app: Any, ask: Ask, recorder: Recorder | None) -> Outcome:
    scope, raised = ask.scope(), ""
    client = _Client(ask, scope["log"])
    given = {key: scope.get(key) for key in ("headers", "path_params")}
    task: Any = asyncio.current_task()
    limit = asyncio.get_running_loop().call_later(_PATIENCE, task.cancel)
    with nullcontext() if recorder is None else recording(recorder):
        try:
            await app(scope, client.receive, client.send)
        except Exception as exc:
            raised = f"{type(exc).__name__}: {exc}".replace("turbostar", "starlette")
    limit.cancel()
    shown = {key: scope[key] for key in _SHOWN if key in scope}
    # Whoever stands above may still use what it has put into the scope.
    return client.sent, raised, copy.deepcopy({**shown, "given": given})


def serve(
    app: Any, steps: Sequence[Step], *, rounds: int = 1, recorder: Recorder | None = None
) -> list[Outcome]:
    """Take the steps one after the other, in one event loop.

    Args:
        rounds: how often; the first ones compile what the last one uses.
        recorder: of what is entered by the requests of the last round.

    Returns:
        The outcomes of the last round's requests.
    """

    async def take_all() -> list[Outcome]:
        outcomes: list[Outcome] = []
        for number in range(rounds):
            outcomes = []
            for step in steps:
                if isinstance(step, Ask):
                    is_last = number == rounds - 1
                    outcomes.append(await _serve_one(app, step, recorder if is_last else None))
                else:
                    step()
        return outcomes

    return asyncio.run(take_all())
