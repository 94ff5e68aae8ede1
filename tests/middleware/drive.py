"""One request through a middleware, of Starlette's and of turbostar's, and what came of it."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.asgi import Ask, Client, Header, Message
from tests.differential.loops import run
from tests.differential.observed import raised

Scope = dict[str, Any]
#: ``act(scope, receive, send)``: something that the application below the middleware does.
Act = Callable[[Scope, Any, Any], Any]
#: ``make(module, app)``: the middleware, made from Starlette's module or from turbostar's.
Make = Callable[[Any, Any], Any]

START: Message = {"type": "http.response.start", "status": 200}
BODY: Message = {"type": "http.response.body", "body": b"hello"}


def http(*headers: Header, **more: Any) -> Scope:
    """The scope of an HTTP request."""
    scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "root_path": ""}
    return {**scope, "query_string": b"", "headers": [*headers], **more}


def websocket(*headers: Header, **more: Any) -> Scope:
    """The scope of a websocket."""
    return http(*headers, **{"type": "websocket", "scheme": "ws", **more})


class Sends:
    """An act: to send a message, and if it is `lenient`, to go on should that fail."""

    def __init__(self, message: Message, lenient: bool = False) -> None:
        self.message = message
        self.lenient = lenient

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            await send(copy.deepcopy(self.message))
        except Exception:
            if not self.lenient:
                raise

    def __repr__(self) -> str:
        return f"Sends({self.message!r}, {self.lenient!r})"


class Does:
    """An act: to do something with the scope."""

    def __init__(self, name: str, function: Callable[[Scope], Any]) -> None:
        self.name = name
        self.function = function

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.function(scope)

    def __repr__(self) -> str:
        return f"Does({self.name})"


async def receives(scope: Scope, receive: Any, send: Any) -> None:
    """An act: to receive a message."""
    scope.setdefault("received", []).append(await receive())


async def fails(scope: Scope, receive: Any, send: Any) -> None:
    """An act: to raise an exception."""
    raise ZeroDivisionError("from below")


class Server(Client):
    """The server's end of one request; if `failing`, nothing that it has sent arrives."""

    def __init__(self, incoming: Sequence[Message], failing: bool) -> None:
        super().__init__(Ask("/", incoming=tuple(incoming)))
        self._failing = failing

    def kept(self, message: Message) -> Any:
        return [(key, plain(value)) for key, value in message.items()]

    def has_sent(self, ends: bool) -> None:
        if self._failing:
            raise OSError("the connection is gone")


def plain(value: Any) -> Any:
    """A value as it is now, with the types of what it is made of."""
    if isinstance(value, dict):
        items = [(key, plain(item)) for key, item in value.items()]
        return type(value).__name__, items, getattr(value, "__dict__", None)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, str, int, float, type(None))):
        return type(value).__name__, value if value == value else "NaN"
    return type(value).__module__.replace("turbostar", "starlette"), type(value).__name__


def play(
    package: str,
    module: str,
    make: Make,
    requests: Sequence[tuple[Scope, Sequence[Act]]],
    *,
    incoming: Sequence[Message] = (),
    failing: bool = False,
    backend: str | None = None,
) -> list[Any]:
    """Serve requests with one middleware, and tell all that could be observed of them."""
    doing: list[Act] = []

    async def below(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(("below", [(key, plain(value)) for key, value in scope.items()]))
        for act in doing:
            await act(scope, receive, send)

    middleware = make(importlib.import_module(f"{package}.{module}"), below)
    told = []
    for scope, acts in requests:
        server, seen = Server(incoming, failing), []
        doing[:] = acts
        scope = copy.deepcopy(scope)
        given = scope.get("headers")
        before = copy.copy(given)
        error = None
        try:
            run(lambda: middleware(scope, server.receive, server.send), backend)  # noqa: B023
        except Exception as exc:
            error = raised(exc)
        told.append(
            {
                "sent": server.sent,
                "seen": seen,
                "scope": [(key, plain(value)) for key, value in scope.items()],
                "error": error,
                "given headers": given == before,
                "headers are the ones given": given is not None and scope["headers"] is given,
            }
        )
    return told


def compare(module: str, make: Make, *requests: Any, **how: Any) -> list[Any]:
    """Check that Starlette's middleware and turbostar's do the same; return what they do."""
    stock = play("starlette", module, make, requests, **how)
    ours = play("turbostar", module, make, requests, **how)
    assert ours == stock, difference(stock, ours)
    return stock


def difference(stock: list[Any], ours: list[Any]) -> str:
    """What differs, request by request."""
    return "\n".join(
        f"request {number}: {kind}\n  stock     {told[kind]}\n  turbostar {mine[kind]}"
        for number, (told, mine) in enumerate(zip(stock, ours, strict=True))
        for kind in told
        if told[kind] != mine[kind]
    )
