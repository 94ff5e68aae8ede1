"""The ways to run one description: stock Starlette, and turbostar in each of its modes."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import turbostar

NAMES: dict[str, tuple[str, ...]] = {
    "applications": ("Starlette",),
    "routing": (
        "BaseRoute",
        "Host",
        "Match",
        "Mount",
        "NoMatchFound",
        "Route",
        "Router",
        "WebSocketRoute",
        "request_response",
    ),
    "requests": ("ClientDisconnect", "Request"),
    "responses": (
        "FileResponse",
        "HTMLResponse",
        "JSONResponse",
        "PlainTextResponse",
        "RedirectResponse",
        "Response",
        "StreamingResponse",
    ),
    "endpoints": ("HTTPEndpoint", "WebSocketEndpoint"),
    "exceptions": ("HTTPException", "WebSocketException"),
    "middleware": ("Middleware",),
    "middleware.authentication": ("AuthenticationMiddleware",),
    "middleware.base": ("BaseHTTPMiddleware",),
    "middleware.body_limit": ("RequestBodyLimitMiddleware",),
    "middleware.cors": ("CORSMiddleware",),
    "middleware.errors": ("ServerErrorMiddleware",),
    "middleware.exceptions": ("ExceptionMiddleware",),
    "middleware.gzip": ("GZipMiddleware",),
    "middleware.httpsredirect": ("HTTPSRedirectMiddleware",),
    "middleware.sessions": ("SessionMiddleware",),
    "middleware.trustedhost": ("TrustedHostMiddleware",),
    "authentication": ("AuthCredentials", "AuthenticationError", "BaseUser", "SimpleUser"),
    "background": ("BackgroundTask", "BackgroundTasks"),
    "staticfiles": ("StaticFiles",),
    "websockets": ("WebSocket",),
}


class Namespace:
    """What an application imports: the names of one package, as attributes.

    Args:
        middleware: the package of its middleware, if that is another one.
    """

    def __init__(self, package: str, middleware: str | None = None) -> None:
        self.package = package
        for module, names in NAMES.items():
            for name in names:
                of = middleware or package if name.endswith("Middleware") else package
                setattr(self, name, getattr(importlib.import_module(f"{of}.{module}"), name))

    def __repr__(self) -> str:
        return self.package

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def pick(self, name: str) -> Any:
        """Return the class of this name for the next object to be built."""
        return getattr(self, name)


class MixedNamespace(Namespace):
    """An application half migrated: every other route, router and app is Starlette's own."""

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.turns = itertools.count()

    def pick(self, name: str) -> Any:
        package = "starlette" if next(self.turns) % 2 else self.package
        module = "applications" if name == "Starlette" else "routing"
        return getattr(importlib.import_module(f"{package}.{module}"), name)


@dataclass(frozen=True)
class Mode:
    """Which names an application is built from, and what is in force while it is built and run."""

    name: str
    namespace: Callable[[], Namespace]
    active: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # for hypothesis
        printer.text(self.name)


@contextlib.contextmanager
def installed() -> Iterator[None]:
    turbostar.install()
    try:
        yield
    finally:
        turbostar.uninstall()


_starlette = Namespace("starlette")
_turbostar = Namespace("turbostar")

STOCK = Mode("stock", lambda: _starlette)
SWAP = Mode("swap", lambda: _turbostar)
INSTALL = Mode("install", lambda: _starlette, installed)
MIXED = Mode("mixed", lambda: MixedNamespace("turbostar"))

_names = functools.cache(Namespace)
#: Migrated by half: the middleware, or all but the middleware.
HALVES = (
    Mode("swapped but for middleware", lambda: _names("turbostar", "starlette")),
    Mode("swapped middleware", lambda: _names("starlette", "turbostar")),
)
