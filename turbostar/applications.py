"""``starlette.applications`` with a Starlette that answers in one coroutine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import starlette.applications as stock
import starlette.middleware.exceptions as stock_exceptions
from starlette.applications import AppType as AppType
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Router as StockRouter
from starlette.types import ASGIApp, ExceptionHandler, Lifespan

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.sources import is_known, is_verified
from turbostar._guard.swapped import accelerated
from turbostar._routing.watched import RouteList
from turbostar.middleware.exceptions import ExceptionMiddleware
from turbostar.routing import Router

if TYPE_CHECKING:
    from starlette.applications import P as P

late: Any = stock  # for names that are looked up when they are used, as stock does

_stock_build = (
    stock.Starlette.build_middleware_stack
    if is_known(stock.Starlette.build_middleware_stack, stock.Starlette, "build_middleware_stack")
    else None
)
_StockStarlette = stock.Starlette  # a tracer may put a class of its own in the module


def _is_untouched(cls: Any) -> bool:
    # Who has wrapped __init__ looks for Starlette's class, not for ours.
    return is_known(cls.__call__, cls, "__call__") and is_verified(cls.__init__, stock_exceptions)


def _adopt(router: Any) -> None:
    """Make a router that Starlette has just built one of ours."""
    if type(router) is not StockRouter:
        return
    is_plain = router.middleware_stack == router.app
    has_default = router.default == router.not_found
    router.__class__ = Router
    router.routes = RouteList(router.routes)
    if has_default:
        router.default = router.not_found
    if is_plain:
        router.middleware_stack = router.app


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.applications import Starlette as Starlette
else:

    @accelerated
    class Starlette(stock.Starlette, metaclass=Twin):
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
            named: dict[str, Any] = {
                name: value for name, value in given.items() if value is not None
            }
            if debug is not False:
                named["debug"] = debug
            _StockStarlette.__init__(self, **named)
            # Not as an attribute: a property of the user's may not be ready yet.
            _adopt(self.__dict__.get("router"))

        def build_middleware_stack(self) -> ASGIApp:
            if _StockStarlette.build_middleware_stack is not _stock_build:
                return _StockStarlette.build_middleware_stack(
                    self
                )  # somebody wants to see it built
            debug = self.debug
            handlers = dict(self.exception_handlers)
            # Starlette takes the last of the two; each is the answer to what nobody else handles.
            outermost = [handlers.pop(key) for key in [*handlers] if key in (500, Exception)]
            handler = outermost[-1] if outermost else None
            chain = [late.Middleware(late.ServerErrorMiddleware, handler=handler, debug=debug)]
            if self.max_body_size is not None:
                chain.append(
                    late.Middleware(
                        late.RequestBodyLimitMiddleware, max_body_size=self.max_body_size
                    )
                )
            chain += self.user_middleware
            # Tracers look for Starlette's class here; ours takes its place when it is called.
            base = late.ExceptionMiddleware
            chain.append(late.Middleware(base, handlers=handlers, debug=debug))
            app: ASGIApp = self.router
            for cls, args, kwargs in reversed(chain):
                make = ExceptionMiddleware if cls is base and _is_untouched(base) else cls
                app = make(app, *args, **kwargs)
            return app


mirror(__name__, "Starlette", follow=("Starlette",))
