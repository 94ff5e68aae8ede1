"""What stands in for ``Starlette.__call__``: the default stack in one coroutine."""

from __future__ import annotations

from types import MethodType
from typing import Any

import starlette.applications as stock
import starlette.middleware.exceptions as stock_exceptions
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Receive, Scope, Send

from turbostar._dispatch.class_endpoints import answer_by_class
from turbostar._dispatch.default_answers import respond_plainly
from turbostar._dispatch.errors import recover_outermost
from turbostar._dispatch.fused import (
    THROUGH,
    answer_request,
    answer_websocket,
    recover_by_layers,
    respond,
)
from turbostar._dispatch.run import CLASS, ENDPOINT
from turbostar._guard.classes import computes, method_of
from turbostar._guard.compiled import Compiled
from turbostar._guard.patches import can_fuse, look_again, look_closely, unchanged
from turbostar._guard.sources import is_known
from turbostar._http.own_send import hand_over, responds
from turbostar._http.tracked_send import TrackedSend
from turbostar._routing.choose import choose
from turbostar._routing.entries import PlainRouter, plain_router

__all__ = ["Core", "starlette_call"]

ATTRIBUTE = "_turbostar_core"
_Starlette = stock.Starlette  # a tracer may put a class of its own in the module
_stock_call = _Starlette.__call__
#: What is read of an application and its layers oftener than on Starlette.
_COMPUTED = frozenset({"app", "middleware_stack", "__getattribute__"})
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
        "sender_class",
        "server",
        "server_class",
    )

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server
        self.server_class = type(server)
        self.exceptions: Any = None
        self.exceptions_class: Any = type(None)
        self.router: Any = None
        self.plain: PlainRouter | None = None
        self.is_foreign = False
        self.sender_class: Any = None
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

    def is_default(self) -> bool:
        """Whether the stack is a default one, and its layers are in their places."""
        plain = self.plain
        return (
            plain is not None
            and self.server.app is self.exceptions
            and self.exceptions.app is self.router
            and type(self.router) is plain.cls
            and self.router.middleware_stack is plain.stack
        )

    def takes_answers(self, sender: Any) -> bool:
        """Whether the one whose method ``send`` is may take more than messages.

        The class of one that does not is remembered. Messages are right for anybody.
        """
        if isinstance(sender, THROUGH):
            return True
        self.sender_class = type(sender)
        return False

    def is_called_as_ever(self) -> bool:
        """Whether nobody has replaced ``__call__`` in a class of the user's; asked if foreign."""
        plain = self.plain
        return (
            plain is not None
            and type(self.router) is plain.cls
            and plain.is_called_as_ever()
            and method_of(self.exceptions_class, "__call__") is self._call
        )


#: Of an application that nobody has looked into.
_NOTHING_YET = Core(None)
_NOTHING_YET.is_stale = True


def _is_stock(middleware: Any, base: type) -> bool:
    cls = type(middleware)
    return (
        issubclass(cls, base)
        and is_known(cls.__call__, base, "__call__")
        and not computes(cls, base, _COMPUTED)
    )


def _core_of(app: stock.Starlette) -> Core | None:
    """Look into the stack of an application; None where its class has a say in what that is."""
    look_closely()
    if computes(type(app), _Starlette, _COMPUTED):
        return None
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
    core: Any = self.__dict__.get("_turbostar_core") or _NOTHING_YET  # a copy has got None
    if (
        core.is_stale
        or core.server is not self.middleware_stack
        or type(core.server) is not core.server_class
        or type(core.exceptions) is not core.exceptions_class
        or (core.is_foreign and not core.is_called_as_ever())
    ):
        core = _core_of(self)
        if core is None:
            await _stock_call(self, scope, receive, send)
            return
    if (
        core.plain is None
        or core.server.app is not core.exceptions
        or core.exceptions.app is not core.router
        or type(core.router) is not core.plain.cls
        or core.router.middleware_stack is not core.plain.stack
        or scope["type"] != "http"
    ):
        await _call_layers(core, scope, receive, send)
        return
    # fast: written out here, a coroutine less than `answer_request` (JSON, 1 route)
    handlers = (core.exceptions._exception_handlers, core.exceptions._status_handlers)
    scope["starlette.exception_handlers"] = handlers
    other = tracked = request = inner = None
    try:
        entry = choose(core.router, scope, "http")
        if entry.kind is ENDPOINT:
            tracked = TrackedSend(send)
            request = entry.make_request(scope, receive, tracked.send)
            response = await entry.endpoint(request)
            if type(response).__call__ is not respond_plainly or (
                type(send) is MethodType
                and type(send.__self__) is not core.sender_class
                and core.takes_answers(send.__self__)
            ):
                inner = TrackedSend(tracked.send)
                await respond(response, scope, receive, inner.send)
            else:
                status, headers = response.status_code, response.raw_headers
                inner = tracked
                inner.started = True
                if not (responds and hand_over(send, status, headers, vars(response).get("body"))):
                    start = {"type": "http.response.start", "status": status, "headers": headers}
                    await send(start)  # whoever takes it may change the body
                    await send({"type": "http.response.body", "body": response.body})
                if response.background is not None:
                    await response.background()
        elif entry.kind is CLASS:
            tracked = TrackedSend(send)
            await answer_by_class(entry, scope, receive, tracked.send)
        else:
            other = entry
    except Exception as exc:
        sent = tracked or TrackedSend(send)
        await recover_by_layers(exc, core.server, handlers, request, inner, sent, scope, receive)
    if other is not None:
        await answer_request(core.server, core.exceptions, core.router, scope, receive, send, other)


async def _call_layers(core: Core, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the layers one by one, but for ServerErrorMiddleware where that is Starlette's own."""
    if core.is_server_plain and scope["type"] == "http":
        below = TrackedSend(send)
        try:
            await core.server.app(scope, receive, below.send)
        except Exception as exc:
            await recover_outermost(core.server, exc, below.started, scope, receive, send)
    elif scope["type"] == "websocket" and core.is_default():
        await answer_websocket(core.exceptions, core.router, scope, receive, send)
    else:
        await core.server(scope, receive, send)
