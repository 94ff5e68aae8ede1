"""Streamed responses, and the client that may go away meanwhile."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from turbostar._guard.classes import namespace
from turbostar._guard.patches import gives_way
from turbostar._guard.sources import trusts
from turbostar._http.disconnect import can_race, until_disconnect
from turbostar._http.tracked_send import untracked
from turbostar._stages.scopes import is_in_scope

__all__ = [
    "can_stream",
    "stream",
    "stream_response",
    "streaming_response_call",
]

_streaming = namespace(StreamingResponse)
_stock_call = StreamingResponse.__call__
_stock_stream_response = StreamingResponse.stream_response
_listen_for_disconnect = (
    StreamingResponse.listen_for_disconnect
    if trusts("starlette.responses:StreamingResponse.listen_for_disconnect")
    else object()
)


async def streaming_response_call(
    self: StreamingResponse, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``StreamingResponse.__call__``; fall back to it where `can_stream` is not.

    Gives way to what has replaced it.
    """
    method = _streaming["__call__"]
    is_known = method is _stock_call or method is streaming_response_call
    if not is_known and gives_way(self, "__call__"):
        await method(self, scope, receive, send)
        return
    if scope["type"] == "websocket" or not can_stream(self):
        await _stock_call(self, scope, receive, send)
        return
    await stream(self, scope, receive, send)
    if self.background is not None:
        await self.background()


def can_stream(response: StreamingResponse) -> bool:
    """Whether `stream` sends this response as Starlette would.

    That is on asyncio, in no cancel scope of anyio's, and if nothing was overridden.
    """
    return (
        type(response).listen_for_disconnect is _listen_for_disconnect
        and "listen_for_disconnect" not in response.__dict__
        and can_race()
        # Below a BaseHTTPMiddleware the listener takes of the body what that may want to read. How
        # much depends on whose turn it is; and whoever is in a scope may ask for its deadline.
        and not is_in_scope()
    )


async def stream(response: StreamingResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a streamed response over HTTP, as its ``__call__`` does but for its background tasks.

    Raises:
        ClientDisconnect: `send` tells by an OSError that the client has gone away.
    """
    if _send_tells(scope):
        try:
            await response.stream_response(send)
        except OSError:
            raise ClientDisconnect()  # noqa: B904 - as it is chained on stock
        return
    await until_disconnect(receive, response.stream_response(send))


_SILENT = frozenset({"2.0", "2.1", "2.2", "2.3"})


def _send_tells(scope: Scope) -> bool:
    """Whether a server of this version of ASGI raises in `send` once the client has gone away."""
    version = scope.get("asgi", {}).get("spec_version", "2.0")
    return version not in _SILENT and tuple(map(int, version.split("."))) >= (2, 4)


async def stream_response(self: StreamingResponse, send: Send) -> None:
    """Stand in for ``StreamingResponse.stream_response``, with only its start looked at.

    Gives way to what has replaced it.
    """
    method = _streaming["stream_response"]
    is_known = method is _stock_stream_response or method is stream_response
    if not is_known and gives_way(self, "stream_response"):
        await method(self, send)
        return
    status, headers = self.status_code, self.raw_headers
    # The first message starts the response: nobody need look at the others.
    send = untracked(send)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for chunk in self.body_iterator:
        if type(chunk) is not bytes and not isinstance(chunk, bytes | memoryview):
            chunk = chunk.encode(self.charset)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
