"""The shop's own middleware."""

from __future__ import annotations

import re
import zlib

from starlette.datastructures import MutableHeaders
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GIVEN_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class RequestIdMiddleware(BaseHTTPMiddleware):
    """Names each request, so that a customer's complaint can be found in the log.

    The client's own X-Request-ID is kept if it is a plain word; otherwise the
    name is derived from method, path and query.
    """

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        given = request.headers.get("x-request-id", "")
        request_id = given if GIVEN_ID.fullmatch(given) else self.derived(request)
        request.state.request_id = request_id
        response = await call_next(request)
        response.headers["x-request-id"] = request_id
        return response

    @staticmethod
    def derived(request: Request) -> str:
        line = f"{request.method} {request.url.path}?{request.url.query}"
        return f"{zlib.crc32(line.encode('utf-8', 'surrogateescape')):08x}"


class SecurityHeadersMiddleware:
    """Adds the headers a browser wants to see, written as pure ASGI."""

    def __init__(self, app: ASGIApp, frame_options: str = "DENY") -> None:
        self.app = app
        self.headers = {
            "x-content-type-options": "nosniff",
            "x-frame-options": frame_options,
            "referrer-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class CacheControlMiddleware:
    """Sets Cache-Control on the good answers of a mount or a route."""

    def __init__(self, app: ASGIApp, value: str) -> None:
        self.app = app
        self.value = value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cache_control(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                MutableHeaders(scope=message)["cache-control"] = self.value
            await send(message)

        await self.app(scope, receive, send_with_cache_control)
