"""``starlette.applications`` with a Starlette that answers in one coroutine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import starlette.applications as stock
import starlette.middleware.exceptions as stock_exceptions
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import BaseRoute, Router as StockRouter
from starlette.types import ASGIApp, ExceptionHandler, Lifespan, Receive, Scope, Send

from turbostar._accelerations import accelerated, is_known, is_verified
from turbostar._dispatch import recover_outermost
from turbostar._entry import PlainRouter, plain_router
from turbostar._fused import answer_request, answer_websocket
from turbostar._mirror import mirror
from turbostar._patches import can_fuse, look_again, look_closely, unchanged
from turbostar._sending import TrackedSend
from turbostar._watch import RouteList, current_era
from turbostar.middleware.exceptions import ExceptionMiddleware
from turbostar.routing import Router

if TYPE_CHECKING:
    from starlette.applications import AppType as AppType, P as P

ATTRIBUTE = "_turbostar_core"

_stock_build = (
    stock.Starlette.build_middleware_stack
    if is_known(stock.Starlette.build_middleware_stack, stock.Starlette, "build_middleware_stack")
    else None
)
_StockStarlette = stock.Starlette  # a tracer may put a class of its own in the module


class Core:
    """A middleware stack that is ServerErrorMiddleware, ExceptionMiddleware and a plain router.

    Each request asks whether it still is that, by comparing.
    """

    __slots__ = ("era", "exceptions", "is_server_plain", "plain", "router", "server")

    def __init__(self, server: Any) -> None:
        self.server = server
        self.era = current_era()
        self.plain: PlainRouter | None = None
        self.is_server_plain = can_fuse() and _is_stock(server, ServerErrorMiddleware)
        if not self.is_server_plain:
            return
        self.exceptions = server.app
        if not _is_stock(self.exceptions, stock_exceptions.ExceptionMiddleware):
            return
        self.router = self.exceptions.app
        self.plain = plain_router(self.router)


def _is_stock(middleware: Any, base: type) -> bool:
    cls = type(middleware)
    return issubclass(cls, base) and is_known(cls.__call__, base, "__call__")


def _core_of(app: stock.Starlette) -> Core:
    look_closely()
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    core = Core(app.middleware_stack)
    app.__dict__[ATTRIBUTE] = core
    return core


def _is_untouched(cls: Any) -> bool:
    # Who has wrapped __init__ looks for Starlette's class, not for ours.
    return is_known(cls.__call__, cls, "__call__") and is_verified(cls.__init__, stock_exceptions)


def _inherits_call(app: stock.Starlette, left: list[tuple[type, str]]) -> bool:
    """Whether an import-swapped application inherits from now on what somebody has replaced."""
    return any(name == "__call__" and isinstance(app, cls) for cls, name in left)


async def starlette_call(self: stock.Starlette, scope: Scope, receive: Receive, send: Send) -> None:
    if not unchanged() and _inherits_call(self, look_again()):
        await self(scope, receive, send)
        return
    scope["app"] = self
    try:
        core: Core | None = self._turbostar_core  # type: ignore[attr-defined]
    except AttributeError:
        core = None
    if core is None or core.era.is_over or core.server is not self.middleware_stack:
        core = _core_of(self)
    plain = core.plain
    if (
        plain is None
        or core.server.app is not core.exceptions
        or core.exceptions.app is not core.router
        or core.router.middleware_stack is not plain.stack
    ):
        await _call_layers(core, scope, receive, send)
        return
    if scope["type"] == "http":
        await answer_request(core.server, core.exceptions, core.router, scope, receive, send)
    elif scope["type"] == "websocket":
        await answer_websocket(core.exceptions, core.router, scope, receive, send)
    else:
        await core.server(scope, receive, send)


async def _call_layers(core: Core, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the layers one by one, but for ServerErrorMiddleware where that is Starlette's own."""
    if not core.is_server_plain or scope["type"] != "http":
        await core.server(scope, receive, send)
        return
    below = TrackedSend(send)
    try:
        await core.server.app(scope, receive, below)
    except Exception as exc:
        await recover_outermost(core.server, exc, below.started, scope, receive, send)


def _adopt(router: StockRouter) -> None:
    """Make a router that Starlette has just built one of ours."""
    if type(router) is not StockRouter:
        return
    is_plain = router.middleware_stack == router.app
    router.__class__ = Router
    router.routes = RouteList(router.routes)
    if is_plain:
        router.middleware_stack = router.app


@accelerated
class Starlette(stock.Starlette):
    """Starlette's application, with its routes in turbostar's router."""

    def __init__(
        self: AppType,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
        lifespan: Lifespan[AppType] | None = None,
        *,
        max_body_size: int | None = None,
    ) -> None:
        # By name, and only what was given: so tracers that wrap it take it from most callers.
        given = {
            "routes": routes,
            "middleware": middleware,
            "exception_handlers": exception_handlers,
            "lifespan": lifespan,
            "max_body_size": max_body_size,
        }
        named: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if debug is not False:
            named["debug"] = debug
        _StockStarlette.__init__(self, **named)
        _adopt(self.router)

    def build_middleware_stack(self) -> ASGIApp:
        if _StockStarlette.build_middleware_stack is not _stock_build:
            return _StockStarlette.build_middleware_stack(self)  # somebody wants to see it built
        debug = self.debug
        handlers = dict(self.exception_handlers)
        # Starlette takes the last of the two; each is the answer to what nobody else handles.
        outermost = [handlers.pop(key) for key in [*handlers] if key in (500, Exception)]
        handler = outermost[-1] if outermost else None
        chain = [Middleware(ServerErrorMiddleware, handler=handler, debug=debug)]
        if self.max_body_size is not None:
            chain.append(Middleware(RequestBodyLimitMiddleware, max_body_size=self.max_body_size))
        chain += self.user_middleware
        # Tracers look for Starlette's class here; ours takes its place when it is called.
        base = stock_exceptions.ExceptionMiddleware
        chain.append(Middleware(base, handlers=handlers, debug=debug))
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(chain):
            make = ExceptionMiddleware if cls is base and _is_untouched(base) else cls
            app = make(app, *args, **kwargs)
        return app


mirror(__name__, "Starlette", follow=("Starlette",))
