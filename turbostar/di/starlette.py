"""Dependencies for Starlette: stock or accelerated, swapped or not."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Iterable
from typing import Any, Literal
from weakref import WeakKeyDictionary

import starlette.routing as routing
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope as ASGIScope, Send
from starlette.websockets import WebSocket

from turbostar.di.container import Container
from turbostar.di.errors import InjectionError
from turbostar.di.middleware import ScopeMiddleware, SuppliedMiddleware, supplied
from turbostar.di.payloads import ValidationError
from turbostar.di.scopes import Scope, ended
from turbostar.di.signatures import Convertors, SignatureReader
from turbostar.di.teardown import Opened, close, unwind

__all__ = ["AfterResponse", "containers_of", "install", "refuse"]

_installed: WeakKeyDictionary[Starlette, list[Container]] = WeakKeyDictionary()
_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "query")
_EVENTS = ("on_connect", "on_receive", "on_disconnect")


class AfterResponse:
    """A response whose handler's finalizers are run once it has been sent.

    What else is asked of it, it asks of the response.
    """

    __slots__ = ("_opened", "_response")

    def __init__(self, response: Any, opened: Opened | Scope) -> None:
        self._response = response
        self._opened = opened

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        try:
            await self._response(scope, receive, send)
        except BaseException as exc:
            await unwind(self._waiting(), exc)
            raise
        await close(self._waiting())

    def _waiting(self) -> Opened:
        """The finalizers that are to be run now."""
        return ended(self._opened) if isinstance(self._opened, Scope) else self._opened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)


class AfterAnswer(AfterResponse):
    """What a handler of exceptions returned: nothing, if it has answered by itself."""

    __slots__ = ()

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if self._response is None:
            await close(self._waiting())
        else:
            await super().__call__(scope, receive, send)


async def refuse(request: HTTPConnection, exc: Exception) -> Any:
    """Tell a client what is wrong with its request: the handler of `ValidationError`.

    A WebSocket is closed with code 1008, or refused where it was not accepted yet.
    """
    assert isinstance(exc, ValidationError)
    if isinstance(request, WebSocket):
        reason = str(exc).encode()[:120].decode("utf-8", "ignore")  # a frame takes 123 bytes
        await request.close(1008, reason)
        return None
    return JSONResponse(exc.as_json(), exc.status)


def install(
    container: Container,
    app: Starlette,
    *,
    close: Literal["after", "before"] = "after",
    max_body_size: int | None = None,
) -> None:
    """Supply dependencies to the handlers of an application.

    Endpoints, methods of `HTTPEndpoint` and `WebSocketEndpoint`, exception handlers, the
    ``dispatch`` of `BaseHTTPMiddleware` and the constructors of middleware are looked at. Those
    that take nothing but what Starlette gives them stay as they are. Call it when all providers
    and all middleware were added. Routes that are added later are looked at when the application
    starts.

    Args:
        container: where dependencies come from.
        app: the application; FastAPI's own routes stay with ``Depends(di(...))``.
        close: whether finalizers run after a response was sent, its background included, or before.
        max_body_size: how many bytes a `Body` may have; more is answered with 413.

    Raises:
        ValueError: `close` or `max_body_size` is none of what they may be.
    """
    if close not in ("after", "before"):
        raise ValueError(
            f'close={close!r} is not known: say "after", to run finalizers after the response was '
            'sent, or "before"'
        )
    is_size = isinstance(max_body_size, int) and not isinstance(max_body_size, bool)
    if max_body_size is not None and (not is_size or max_body_size < 0):
        raise ValueError(
            f"max_body_size={max_body_size!r} is no number of bytes: say how many a body may have, "
            "or leave it out for as many as the server takes"
        )
    for hint in (HTTPConnection, Request, WebSocket, State):
        container.context(hint)
    _installed.setdefault(app, []).append(container)
    installation = _Installation(container, app, close, max_body_size)
    installation.look()
    container.before_start.append(installation.look)
    router = app.router
    if router.lifespan_context != container.lifespan and not _runs(router, container):
        router.lifespan_context = _around(container, router.lifespan_context)


def containers_of(app: Any) -> list[Container]:
    """The containers that were installed in an application."""
    return _installed.get(app, []) if isinstance(app, Starlette) else []


def _runs(router: Router, container: Container) -> bool:
    return getattr(router.lifespan_context, "container", None) is container


def _around(container: Container, inner: Any) -> Any:
    """A lifespan in which the container is open around the application's own."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        async with container.lifespan(app), inner(app) as state:
            yield state

    lifespan.container = container  # type: ignore[attr-defined]
    return lifespan


class _Installation:
    """One container in one application."""

    def __init__(
        self, container: Container, app: Starlette, close: str, max_body_size: int | None
    ) -> None:
        self.container = container
        self.app = app
        self.close = close
        self.max_body_size = max_body_size
        self.is_shared = False
        self._seen: dict[int, Any] = {}

    def look(self) -> None:
        """Look at all handlers that were not looked at before."""
        self._look_at_middleware()
        self._look_at_application(self.app, {})

    def _look_at_application(self, app: Starlette, above: Convertors) -> None:
        if ValidationError not in app.exception_handlers:
            app.exception_handlers[ValidationError] = refuse
            app.middleware_stack = None
        for key, function in app.exception_handlers.items():
            made = self._made(function, "exception")
            if made is not None:
                app.exception_handlers[key] = self._seen[id(made)] = made
                app.middleware_stack = None
        self._look_at_routes(app.routes, above)

    def _look_at_middleware(self) -> None:
        dispatches = False
        for index, entry in enumerate(self.app.user_middleware):
            changed: Any = entry
            cls: Any = entry.cls
            function = entry.kwargs.get("dispatch")
            if function is not None:
                made = self._made(function, "dispatch")
                if made is not None:
                    dispatches = True
                    self._seen[id(made)] = made
                    changed = Middleware(cls, *entry.args, **{**entry.kwargs, "dispatch": made})
            elif isinstance(cls, type) and issubclass(cls, BaseHTTPMiddleware):
                made = self._made(cls.dispatch, "dispatch", method=True)
                if made is not None:
                    dispatches = True
                    self._seen[id(made)] = made
                    inner = _subclass(cls, {"dispatch": made})
                    changed = Middleware(inner, *entry.args, **entry.kwargs)
            changed = self._supplied(changed)
            if changed is not entry:
                self.app.user_middleware[index] = changed
                self.app.middleware_stack = None
        if dispatches and not self.is_shared:
            self.is_shared = True
            opener = Middleware(ScopeMiddleware, container=self.container)
            self.app.user_middleware.insert(0, opener)
            self.app.middleware_stack = None

    def _supplied(self, entry: Any) -> Any:
        """The entry of a middleware, or of what supplies its constructor."""
        if entry.cls in (ScopeMiddleware, SuppliedMiddleware) or id(entry) in self._seen:
            return entry
        self._seen[id(entry)] = entry
        try:
            return supplied(self.container, entry) or entry
        except InjectionError as fault:
            self.container.handler_faults.append(fault)
            return entry

    def _look_at_routes(self, routes: Iterable[Any], above: Convertors) -> None:
        for route in routes:
            convertors = {**above, **getattr(route, "param_convertors", {})}
            if isinstance(route, Mount | Host):
                if isinstance(route.app, Starlette):
                    if containers_of(route.app) and self.container not in containers_of(route.app):
                        continue  # it has one of its own
                    self._look_at_application(route.app, convertors)
                else:
                    self._look_at_routes(route.routes or (), convertors)
                continue
            is_ours = isinstance(route, Route | WebSocketRoute) and not hasattr(route, "dependant")
            if is_ours and id(route) not in self._seen:
                self._seen[id(route)] = route
                self._look_at_route(route, convertors)

    def _look_at_route(self, route: Route | WebSocketRoute, convertors: Convertors) -> None:
        endpoint = route.endpoint
        is_http = isinstance(route, Route)
        if isinstance(endpoint, type):
            if issubclass(endpoint, HTTPEndpoint if is_http else WebSocketEndpoint):
                self._look_at_class(route, endpoint, convertors)
            return
        if not (inspect.isroutine(endpoint) or isinstance(endpoint, functools.partial)):
            return  # an ASGI application
        made = self._made(endpoint, "http" if is_http else "websocket", convertors)
        if made is not None:
            maker: Any = routing.request_response if is_http else routing.websocket_session
            _innermost(route).app = maker(made)

    def _look_at_class(self, route: Any, endpoint: Any, convertors: Convertors) -> None:
        is_http = issubclass(endpoint, HTTPEndpoint)
        members: dict[str, Any] = {}
        for name in _METHODS if is_http else _EVENTS:
            function = getattr(endpoint, name, None)
            if function is None:
                continue
            written = inspect.getattr_static(endpoint, name)
            is_bound = isinstance(written, staticmethod | classmethod)
            kind = "http" if is_http else name
            made = self._made(function, kind, convertors, method=not is_bound)
            if made is not None:
                members[name] = staticmethod(made) if is_bound else made
        if not members:
            return
        if not is_http:
            members["dispatch"] = _dispatch_in_scope(endpoint, self.container)
        _innermost(route).app = _subclass(endpoint, members)

    def _made(
        self,
        function: Any,
        kind: str,
        convertors: Convertors | None = None,
        *,
        method: bool = False,
    ) -> Any:
        """The generated function for a handler; None if it asks for nothing."""
        if id(function) in self._seen:
            return None
        try:
            call = self._reader(function, kind, convertors or {}, method).call()
        except InjectionError as fault:
            self.container.handler_faults.append(fault)
            self._seen[id(function)] = function
            return None
        return None if call is None else self.container.handler(call).function

    def _reader(
        self, function: Any, kind: str, convertors: Convertors, is_method: bool
    ) -> SignatureReader:
        after = AfterAnswer if kind == "exception" else AfterResponse
        finish = (after.__name__, after) if self.close == "after" else None
        shared = self.is_shared or kind == "dispatch" or kind in _EVENTS
        return SignatureReader(
            self.container,
            function,
            kind,
            convertors,
            is_method,
            finish,
            shared,
            self.max_body_size,
        )


def _dispatch_in_scope(endpoint: Any, container: Container) -> Any:
    """The ``dispatch`` of a `WebSocketEndpoint`, with one scope for all of a connection."""

    async def dispatch(self: Any) -> None:
        async def run(scope: ASGIScope, receive: Receive, send: Send) -> None:
            await endpoint.dispatch(self)

        await ScopeMiddleware(run, container)(self.scope, self.receive, self.send)

    return dispatch


def _subclass(cls: Any, members: dict[str, Any]) -> Any:
    about = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(cls.__name__, (cls,), {**about, **members})


def _innermost(route: Any) -> Any:
    """Whoever holds the application of the endpoint itself: the route, or its last middleware."""
    holder = route
    while not inspect.isfunction(holder.app) and not isinstance(holder.app, type):
        holder = holder.app
    return holder
