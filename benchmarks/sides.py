"""The two sides of every comparison: one application, written once, from either package."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.asgi import ASGIApp

__all__ = ["SIDES", "STOCK", "TURBOSTAR", "Side"]

# Where each name lives, in Starlette and under the same path in turbostar.
_MODULES = {
    "AuthCredentials": "authentication",
    "AuthenticationBackend": "authentication",
    "AuthenticationMiddleware": "middleware.authentication",
    "BackgroundTask": "background",
    "BaseHTTPMiddleware": "middleware.base",
    "CORSMiddleware": "middleware.cors",
    "GZipMiddleware": "middleware.gzip",
    "HTMLResponse": "responses",
    "HTTPEndpoint": "endpoints",
    "HTTPException": "exceptions",
    "HTTPSRedirectMiddleware": "middleware.httpsredirect",
    "JSONResponse": "responses",
    "Middleware": "middleware",
    "Mount": "routing",
    "PlainTextResponse": "responses",
    "RedirectResponse": "responses",
    "Request": "requests",
    "Response": "responses",
    "Route": "routing",
    "SessionMiddleware": "middleware.sessions",
    "SimpleUser": "authentication",
    "Starlette": "applications",
    "StreamingResponse": "responses",
    "TrustedHostMiddleware": "middleware.trustedhost",
    "WebSocketRoute": "routing",
}


class Side:
    """A namespace of the classes an application is built from: ``side.Route``, ``side.Request``.

    A module is imported when the first name of it is asked for, so that a process that serves one
    side never loads the other.
    """

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self.package = package

    def application(self, **arguments: Any) -> ASGIApp:
        """An application of this side: ``Starlette(...)``, typed as what it is to a server."""
        app: ASGIApp = self.Starlette(**arguments)
        return app

    def __getattr__(self, name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"{name!r} is in no module known to benchmarks.sides; add it")
        module = importlib.import_module(f"{self.package}.{_MODULES[name]}")
        value = getattr(module, name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return self.name


STOCK = Side("stock", "starlette")
TURBOSTAR = Side("turbostar", "turbostar")
SIDES = {side.name: side for side in (STOCK, TURBOSTAR)}
