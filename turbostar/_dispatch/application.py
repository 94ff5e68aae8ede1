"""What stands in for ``Starlette.__call__``: the default stack in one coroutine."""

from __future__ import annotations

from typing import Any

import starlette.applications as stock
import starlette.middleware.exceptions as stock_exceptions
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Receive, Scope, Send

from turbostar._dispatch.errors import recover_outermost
from turbostar._dispatch.fused import answer_request, answer_websocket
from turbostar._guard.classes import method_of
from turbostar._guard.compiled import Compiled
from turbostar._guard.patches import can_fuse, look_again, look_closely, unchanged
from turbostar._guard.sources import is_known
from turbostar._http.tracked_send import TrackedSend
from turbostar._routing.entries import PlainRouter, plain_router

__all__ = ["Core", "starlette_call"]

ATTRIBUTE = "_turbostar_core"
_OWN_MODULES = ("starlette.middleware.exceptions", "turbostar.middleware.exceptions")


class Core(Compiled):
    """A middleware stack that is ServerErrorMiddleware, ExceptionMiddleware and a plain router.

    Each request asks whether it still is that, by comparing.
    """

    __slots__ = (
        "_call",
        "exceptions",
        "exceptions_class",
        "is_foreign",
        "is_server_plain",
        "plain",
        "router",
        "server",
        "server_class",
    )

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server
        self.server_class = type(server)
        self.exceptions: Any = None
        self.exceptions_class: Any = type(None)
        self.plain: PlainRouter | None = None
        self.is_foreign = False
        self._call: Any = None
        # A subclass may keep something for itself when it answers.
        is_server = type(server) is ServerErrorMiddleware
        self.is_server_plain = is_server and can_fuse() and _is_stock(server, ServerErrorMiddleware)
        if not self.is_server_plain:
            return
        self.exceptions = server.app
        self.exceptions_class = type(self.exceptions)
        if not _is_stock(self.exceptions, stock_exceptions.ExceptionMiddleware):
            return
        self.router = self.exceptions.app
        self.plain = plain_router(self.router)
        # Who patches a class of Starlette's is noticed elsewhere; a user's own is looked at here.
        is_own = self.exceptions_class.__module__ in _OWN_MODULES
        self.is_foreign = self.plain is not None and (self.plain.is_foreign or not is_own)
        self._call = method_of(self.exceptions_class, "__call__")

    def is_called_as_ever(self) -> bool:
        """Whether nobody has replaced ``__call__`` in a class of the user's; asked if foreign."""
        plain = self.plain
        return (
            plain is not None
            and type(self.router) is plain.cls
            and plain.is_called_as_ever()
            and method_of(self.exceptions_class, "__call__") is self._call
        )


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


def _inherits_call(app: stock.Starlette, left: list[tuple[type, str]]) -> bool:
    """Whether an import-swapped application inherits from now on what somebody has replaced."""
    return any(name == "__call__" and cls in type(app).__mro__ for cls, name in left)


async def starlette_call(self: stock.Starlette, scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for ``Starlette.__call__``; what is no default stack is called layer by layer."""
    if not unchanged() and _inherits_call(self, look_again()):
        await self(scope, receive, send)
        return
    scope["app"] = self
    try:
        core: Core | None = self.__dict__["_turbostar_core"]
    except KeyError:
        core = None
    if (
        core is None
        or core.is_stale
        or core.server is not self.middleware_stack
        or type(core.server) is not core.server_class
        or type(core.exceptions) is not core.exceptions_class
        or (core.is_foreign and not core.is_called_as_ever())
    ):
        core = _core_of(self)
    plain = core.plain
    if (
        plain is None
        or core.server.app is not core.exceptions
        or core.exceptions.app is not core.router
        or type(core.router) is not plain.cls
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
        await core.server.app(scope, receive, below.send)
    except Exception as exc:
        await recover_outermost(core.server, exc, below.started, scope, receive, send)
