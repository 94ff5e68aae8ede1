"""Applications with middleware; each case is the whole request, endpoint included."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import itsdangerous

from benchmarks.asgi import ASGIApp, ClientRequest, Message, Receive, Scope, Send
from benchmarks.cases import Case
from benchmarks.sides import Side

__all__ = ["CASES", "adding_header"]

_PAGE = json.dumps(
    [
        {"id": n, "name": f"Product {n}", "price": n * 7919 % 10_000 / 100, "stock": n * 31 % 17}
        for n in range(800)
    ]
).encode()
_SECRET = "a secret of this benchmark"


def adding_header(web: Side) -> type[Any]:
    """A BaseHTTPMiddleware that adds one header: the commonest thing that one does."""

    class AddHeader(web.BaseHTTPMiddleware):  # type: ignore[misc,name-defined]
        def __init__(self, app: ASGIApp, name: str) -> None:
            super().__init__(app)
            self.name = name

        async def dispatch(self, request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers[self.name] = "yes"
            return response

    return AddHeader


class _Stamp:
    """Pure ASGI middleware that wraps `send`, as many a third party's does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", b"yes")]
            await send(message)

        await self.app(scope, receive, stamped)


def _application(web: Side, *middleware: Any) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.JSONResponse({"hello": "world"})

    return web.application(routes=[web.Route("/", endpoint)], middleware=list(middleware))


def _base_http(web: Side, count: int) -> list[Any]:
    cls = adding_header(web)
    return [web.Middleware(cls, name=f"x-layer-{number}") for number in range(count)]


def _one(web: Side) -> ASGIApp:
    return _application(web, *_base_http(web, 1))


def _three(web: Side) -> ASGIApp:
    return _application(web, *_base_http(web, 3))


def _ten(web: Side) -> ASGIApp:
    return _application(web, *_base_http(web, 10))


def _background(web: Side) -> ASGIApp:
    async def write_mail() -> None:
        pass

    async def endpoint(request: Any) -> Any:
        task = web.BackgroundTask(write_mail)
        return web.JSONResponse({"hello": "world"}, background=task)

    return web.application(routes=[web.Route("/", endpoint)], middleware=_base_http(web, 1))


def _waiting(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        answer = asyncio.get_running_loop().create_future()
        answer.get_loop().call_soon(answer.set_result, {"hello": "world"})
        return web.JSONResponse(await answer)

    return web.application(routes=[web.Route("/", endpoint)], middleware=_base_http(web, 1))


def _over_pure(web: Side) -> ASGIApp:
    return _application(web, *_base_http(web, 1), web.Middleware(_Stamp))


def _over_streaming(web: Side) -> ASGIApp:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(10):
            yield b"line %d of a short report\n" % number

    async def endpoint(request: Any) -> Any:
        return web.StreamingResponse(chunks(), media_type="text/plain")

    return web.application(routes=[web.Route("/", endpoint)], middleware=_base_http(web, 1))


def _cors(web: Side) -> Any:
    return web.Middleware(
        web.CORSMiddleware,
        allow_origins=["https://shop.example.org", "https://admin.example.org"],
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["X-Requested-With"],
        allow_credentials=True,
    )


def _cors_and_gzip(web: Side) -> ASGIApp:
    return _application(web, _cors(web), web.Middleware(web.GZipMiddleware))


def _cors_alone(web: Side) -> ASGIApp:
    return _application(web, _cors(web))


def _gzip(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.Response(_PAGE, media_type="application/json")

    middleware = [web.Middleware(web.GZipMiddleware)]
    return web.application(routes=[web.Route("/", endpoint)], middleware=middleware)


def _session_read(web: Side) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        return web.JSONResponse({"user": request.session["user"]})

    middleware = [web.Middleware(web.SessionMiddleware, secret_key=_SECRET)]
    return web.application(routes=[web.Route("/", endpoint)], middleware=middleware)


def _session_untouched(web: Side) -> ASGIApp:
    return _application(web, web.Middleware(web.SessionMiddleware, secret_key=_SECRET))


def _guarded(web: Side) -> ASGIApp:
    class Bearer(web.AuthenticationBackend):  # type: ignore[misc,name-defined]
        async def authenticate(self, conn: Any) -> Any:
            if "authorization" not in conn.headers:
                return None
            return web.AuthCredentials(["authenticated"]), web.SimpleUser("ada")

    hosts = ["example.org", "*.example.org"]
    return _application(
        web,
        web.Middleware(web.TrustedHostMiddleware, allowed_hosts=hosts),
        web.Middleware(web.HTTPSRedirectMiddleware),
        web.Middleware(web.AuthenticationMiddleware, backend=Bearer()),
    )


def _session_cookie() -> str:
    data = base64.b64encode(json.dumps({"user": "ada", "cart": [4711, 4712]}).encode())
    return f"session={itsdangerous.TimestampSigner(_SECRET).sign(data).decode()}"


def _layers(name: str, build: Callable[[Side], ASGIApp], target: float) -> Case:
    """A case of `BaseHTTPMiddleware`: on 3.11, which starts no task eagerly, half is enough."""
    return Case(name=name, build=build, request=_PLAIN, looped=True, target=target, on_oldest=0.5)


_PLAIN = ClientRequest()
_WITH_SESSION = ClientRequest(headers=_PLAIN.with_headers(("cookie", _session_cookie())))
_ORIGIN = ("origin", "https://shop.example.org")

CASES = [
    _layers("1 BaseHTTPMiddleware", _one, 13),
    _layers("3 BaseHTTPMiddleware", _three, 16),
    _layers("10 BaseHTTPMiddleware", _ten, 18),
    _layers("1 BaseHTTPMiddleware, background task", _background, 8),
    _layers("1 BaseHTTPMiddleware, endpoint that waits once", _waiting, 4),
    _layers("BaseHTTPMiddleware over pure ASGI", _over_pure, 4),
    _layers("BaseHTTPMiddleware over 10 chunks", _over_streaming, 6),
    Case(name="CORS + GZip, no Origin", build=_cors_and_gzip, request=_PLAIN, target=5),
    Case(
        name="CORS, simple request",
        build=_cors_alone,
        request=ClientRequest(headers=_PLAIN.with_headers(_ORIGIN)),
        target=3,
    ),
    Case(
        name="CORS, preflight",
        build=_cors_alone,
        request=ClientRequest(
            method="OPTIONS",
            headers=_PLAIN.with_headers(
                _ORIGIN,
                ("access-control-request-method", "DELETE"),
                ("access-control-request-headers", "x-requested-with"),
            ),
        ),
        target=3,
    ),
    Case(name="GZip of 50 KiB", build=_gzip, request=_PLAIN, target=1.0),
    Case(name="Session, read", build=_session_read, request=_WITH_SESSION, target=2),
    Case(name="Session, untouched", build=_session_untouched, request=_WITH_SESSION, target=3),
    Case(
        name="TrustedHost + HTTPSRedirect + Auth",
        build=_guarded,
        request=ClientRequest(
            scheme="https",
            headers=_PLAIN.with_headers(("authorization", "Bearer 3f0c9a")),
        ),
        target=2.5,
    ),
]
