"""What tracing and monitoring tools do to Starlette: its functions replaced while it runs."""

from __future__ import annotations

import functools
import importlib
import inspect
from dataclasses import dataclass
from typing import Any

from tests.brief import Brief
from tests.differential.world import World
from tests.patching.patches import Proxy

#: What known tools replace: sentry-sdk, OpenTelemetry, ddtrace, New Relic and others.
KNOWN = (
    "applications:Starlette.__init__",
    "applications:Starlette.__call__",
    "applications:Starlette.build_middleware_stack",
    "applications:Starlette.add_middleware",
    "background:BackgroundTasks.add_task",
    "middleware:Middleware.__init__",
    "middleware.errors:ServerErrorMiddleware.__call__",
    "middleware.exceptions:ExceptionMiddleware.__init__",
    "middleware.exceptions:ExceptionMiddleware.__call__",
    "requests:Request.__init__",
    "routing:Mount.handle",
    "routing:Mount.matches",
    "routing:Route.__init__",
    "routing:Route.handle",
    "routing:Route.matches",
    "routing:request_response",
    "routing:run_in_threadpool",
    "_exception_handler:run_in_threadpool",
)
#: Looked after when something is built, and not in each request: see docs/how-it-works.md.
WHEN_BUILT = frozenset(
    {
        "requests:HTTPConnection.__init__",
        "requests:Request.body",
        "responses:JSONResponse.render",
        "responses:Response.__init__",
        "responses:StreamingResponse.__call__",
        "responses:StreamingResponse.stream_response",
        "routing:Router.url_path_for",
    }
)
#: What any of them might replace tomorrow.
POSSIBLE = (
    "_exception_handler:_lookup_exception_handler",
    "applications:Starlette.url_path_for",
    "background:BackgroundTasks.__call__",
    "convertors:IntegerConvertor.convert",
    "convertors:StringConvertor.to_string",
    "endpoints:HTTPEndpoint.dispatch",
    "middleware.errors:ServerErrorMiddleware.__init__",
    "middleware.errors:ServerErrorMiddleware.error_response",
    "middleware.exceptions:ExceptionMiddleware.http_exception",
    "middleware.exceptions:wrap_app_handling_exceptions",
    "requests:HTTPConnection.__init__",
    "requests:HTTPConnection.url_for",
    "requests:Request.body",
    "responses:JSONResponse.render",
    "responses:Response.__call__",
    "responses:Response.__init__",
    "responses:Response.init_headers",
    "responses:StreamingResponse.__call__",
    "responses:StreamingResponse.stream_response",
    "routing:Host.handle",
    "routing:Host.matches",
    "routing:Mount.url_path_for",
    "routing:Route.url_path_for",
    "routing:Router.__call__",
    "routing:Router.app",
    "routing:Router.not_found",
    "routing:Router.url_path_for",
    "routing:WebSocketRoute.handle",
    "routing:WebSocketRoute.matches",
    "routing:get_route_path",
    "routing:websocket_session",
    "routing:wrap_app_handling_exceptions",
)


@dataclass(frozen=True, repr=False)
class Patch(Brief):
    """Replaces a function of Starlette's by one that tells of each call and passes it on.

    Attributes:
        style: whether that is a function, or like those of wrapt an object.
    """

    target: str
    style: str = "function"

    def apply(self, world: World) -> None:
        module, _, path = self.target.partition(":")
        owner: Any = importlib.import_module(f"starlette.{module}")
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        original = inspect.getattr_static(owner, name)
        world.undo.callback(setattr, owner, name, original)
        setattr(owner, name, self._wrapped(world, original))

    def _wrapped(self, world: World, original: Any) -> Any:
        def tell() -> None:
            world.log.append(("patched", self.target))

        if self.style == "proxy":
            return Proxy(original, tell)
        if inspect.iscoroutinefunction(original):

            @functools.wraps(original)
            async def later(*args: Any, **kwargs: Any) -> Any:
                tell()
                return await original(*args, **kwargs)

            return later

        @functools.wraps(original)
        def at_once(*args: Any, **kwargs: Any) -> Any:
            tell()
            return original(*args, **kwargs)

        return at_once
