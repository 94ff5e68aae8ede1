"""Middleware through which a complete response goes in one piece, and costs no more than a call.

A pure ASGI middleware that changes responses wraps ``send``, and sees them message by message. One
that derives from `StageMiddleware` does the same where it must, below any server and between any
other middleware. But where it stands between a ``BaseHTTPMiddleware`` and the routes, a response
that is complete goes through it in one call, so that ``call_next`` gets it without a turn of the
event loop. Starlette's own middleware for CORS, GZip and sessions is made of the same parts.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turbostar._http.tracked_send import is_followed, send_answer
from turbostar._stages.protocol import Answer, Stage, hand_down, register

__all__ = ["Answer", "RawHeaders", "Stage", "StageMiddleware", "hand_down", "register"]

RawHeaders = list[tuple[bytes, bytes]]


class StageMiddleware:
    """A middleware that may answer a request by itself, and change the headers of any response.

    Override `before`, `after` or both; neither may wait for anything. What is neither HTTP nor
    answered by `before` goes on to the application below as it came.

    Args:
        app: the application below.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def before(self, scope: Scope) -> Response | None:
        """Look at a request.

        Returns:
            The response, if the application below is not to be asked; else None.
        """
        return None

    def after(self, scope: Scope, status: int, headers: RawHeaders) -> RawHeaders:
        """Look at a response of the application below, before any of it is sent.

        Args:
            scope: of the request.
            status: the status code.
            headers: names, in lower case, and values; do not change this list.

        Returns:
            The headers to send: the same list, or another one.
        """
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        response = self.before(scope)
        if response is not None:
            if type(response).__call__ is not Response.__call__:
                is_followed(send)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, hand_down(_After(self, scope, send), self.app))


class _After(Stage):
    """The stage of one request."""

    def __init__(self, middleware: StageMiddleware, scope: Scope, send: Send) -> None:
        super().__init__(send)
        self._middleware = middleware
        self._scope = scope

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", [])
            message["headers"] = self._middleware.after(self._scope, message["status"], headers)
        await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        answer.headers = self._middleware.after(self._scope, answer.status, answer.headers)
        await send_answer(self.forward, answer)


register(StageMiddleware.__call__)
