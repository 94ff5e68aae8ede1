"""Middleware that is wrong in one respect each, for the tests of these tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from unittest import mock

from starlette.datastructures import MutableHeaders
from starlette.middleware import base
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware, GZipResponder
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import Session, SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

Patched = contextlib.AbstractContextManager[Any]
#: By the subject that notices it.
BROKEN: dict[str, tuple[str, Callable[[], Patched]]] = {}

_call, _answer = BaseHTTPMiddleware.__call__, base._StreamingResponse.__call__
_Response = base._StreamingResponse


def broken(noticed_by: str) -> Callable[[Callable[[], Patched]], Callable[[], Patched]]:
    def enter(patch: Callable[[], Patched]) -> Callable[[], Patched]:
        BROKEN[patch.__name__] = noticed_by, patch
        return patch

    return enter


def _base(call: Any) -> Patched:
    return mock.patch.object(BaseHTTPMiddleware, "__call__", call)


def _dispatching(around: Any) -> Patched:
    """Put something around the dispatch function: `await around(self, request, call_next)`."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        own = self.dispatch_func

        async def dispatch(request: Any, call_next: Any) -> Any:
            return await around(own, request, call_next)

        changed = BaseHTTPMiddleware(self.app, dispatch)
        await _call(changed, scope, receive, send)

    return _base(call)


class _Collected:
    """What an application has sent, as a body iterator."""

    def __init__(self, messages: list[Any]) -> None:
        self.pieces = [m["body"] for m in messages if m.get("body")]

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)


def _in_task(self: Any, scope: Any, receive: Any, send: Any) -> Any:
    """The simplest `call_next` in the same task: it waits until all is sent, and more."""
    request = base._CachedRequest(scope, receive, send)

    async def call_next(_: Any) -> Any:
        messages: list[Any] = []

        async def collect(message: Any) -> None:
            messages.append(message)

        await self.app(scope, request.wrapped_receive, collect)
        if not messages:
            raise RuntimeError("No response returned.")
        start, *rest = messages
        response = _Response(_Collected(rest), start["status"])  # type: ignore[arg-type]
        response.raw_headers = start.get("headers", [])
        return response

    async def serve() -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        response = await self.dispatch_func(request, call_next)
        await response(scope, request.wrapped_receive, send)

    return serve()


@broken("background")
def runs_background_tasks_before_the_answer() -> Patched:
    return _base(_in_task)


@broken("gates")
def waits_for_all_of_a_stream() -> Patched:
    return _base(_in_task)


@broken("timeouts")
def cancels_the_endpoint() -> Patched:
    return _base(_in_task)


@broken("exceptions")
def forgets_the_cause() -> Patched:
    async def around(own: Any, request: Any, call_next: Any) -> Any:
        try:
            return await own(request, call_next)
        except Exception as exc:
            raise exc from None

    return _dispatching(around)


@broken("exceptions")
def swallows_what_fails_late() -> Patched:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def sending(message: Any) -> None:
            nonlocal started
            await send(message)
            started = True

        try:
            await _call(self, scope, receive, sending)
        except Exception:
            if not started:
                raise

    return _base(call)


@broken("dispatch")
def copies_the_scope() -> Patched:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await _call(self, dict(scope), receive, send)

    return _base(call)


@broken("dispatch")
def ends_with_the_last_piece() -> Patched:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        held: list[Any] = []

        async def sending(message: Any) -> None:
            if held and message.get("body") == b"" and not message.get("more_body", False):
                held[0]["more_body"] = False
            elif held:
                await send(held.pop())
            held[:] = [message]

        await _call(self, scope, receive, sending)
        for message in held:
            await send(message)

    return _base(call)


@broken("dispatch")
def copies_the_headers() -> Patched:
    async def answer(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if "headers" in message:
                message["headers"] = list(message["headers"])
            await send(message)

        await _answer(self, scope, receive, sending)

    return mock.patch.object(_Response, "__call__", answer)


@broken("dispatch")
def forgets_the_background_of_the_response() -> Patched:
    async def answer(self: Any, scope: Any, receive: Any, send: Any) -> None:
        self.background = None
        await _answer(self, scope, receive, send)

    return mock.patch.object(_Response, "__call__", answer)


@broken("dispatch")
def returns_a_response_with_a_body() -> Patched:
    return mock.patch.object(_Response, "body", b"", create=True)


@broken("bodies")
def reads_the_body_early() -> Patched:
    async def around(own: Any, request: Any, call_next: Any) -> Any:
        await request.body()
        return await own(request, call_next)

    return _dispatching(around)


@broken("bodies")
def keeps_the_body_to_itself() -> Patched:
    async def around(own: Any, request: Any, call_next: Any) -> Any:
        async def again(_: Any) -> Any:
            vars(request).pop("_body", None)
            return await call_next(request)

        return await own(request, again)

    return _dispatching(around)


@broken("forms")
def asks_for_the_method_alone() -> Patched:
    """Whatever `dispatch_func` has become."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        own = self.dispatch if type(self) is not BaseHTTPMiddleware else self.dispatch_func
        await _call(BaseHTTPMiddleware(self.app, own), scope, receive, send)

    return _base(call)


@broken("replaced")
def keeps_the_first_app() -> Patched:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        app = vars(self).setdefault("first", self.app)
        await _call(BaseHTTPMiddleware(app, self.dispatch_func), scope, receive, send)

    return _base(call)


@broken("requests at once")
def shares_a_request() -> Patched:
    latest: list[Any] = []

    async def around(own: Any, request: Any, call_next: Any) -> Any:
        latest[:] = [request]

        async def mixed(_: Any) -> Any:
            response = await call_next(request)
            request.scope["query_string"] = latest[-1].scope["query_string"]
            request.state.number = latest[-1].state.number
            return response

        return await own(request, mixed)

    return _dispatching(around)


@broken("cors")
def replaces_vary() -> Patched:
    def update(self: Any, other: Any) -> None:
        del self["vary"]
        MutableHeaders.__ior__(self, other)

    return mock.patch.object(MutableHeaders, "update", update)


@broken("cors")
def knows_its_origins_by_heart() -> Patched:
    known: dict[Any, bool] = {}
    allowed = CORSMiddleware.is_allowed_origin

    def is_allowed_origin(self: Any, origin: str) -> bool:
        return known.setdefault(origin, allowed(self, origin=origin))

    return mock.patch.object(CORSMiddleware, "is_allowed_origin", is_allowed_origin)


@broken("gzip")
def reads_the_quality() -> Patched:
    call = GZipMiddleware.__call__

    async def refused(self: Any, scope: Any, receive: Any, send: Any) -> None:
        headers = [(name, value.replace(b"gzip;q=0", b"")) for name, value in scope["headers"]]
        await call(self, {**scope, "headers": headers}, receive, send)

    return mock.patch.object(GZipMiddleware, "__call__", refused)


@broken("gzip")
def compresses_less() -> Patched:
    compress = GZipResponder._compress_body

    def less(self: Any, body: bytes, more_body: bool) -> bytes:
        self.compresslevel = 1
        return compress(self, body, more_body)

    return mock.patch.object(GZipResponder, "_compress_body", less)


@broken("sessions")
def takes_reading_for_writing() -> Patched:
    def mark_accessed(self: Any) -> None:
        self.accessed = self.modified = True

    return mock.patch.object(Session, "mark_accessed", mark_accessed)


@broken("sessions")
def never_expires() -> Patched:
    init = SessionMiddleware.__init__

    def ageless(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        unsign = self.signer.unsign
        self.signer.unsign = lambda data, max_age=None: unsign(data)

    return mock.patch.object(SessionMiddleware, "__init__", ageless)


@broken("authentication")
def remembers_the_user() -> Patched:
    call = AuthenticationMiddleware.__call__
    users: list[Any] = []

    async def remembered(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            users.append(scope["user"])
            scope["user"] = users[0]
            await self.app(scope, receive, send)

        same = AuthenticationMiddleware(app, self.backend, self.on_error)
        await call(same, scope, receive, send)

    return mock.patch.object(AuthenticationMiddleware, "__call__", remembered)


@broken("hosts")
def trusts_by_suffix() -> Patched:
    init = TrustedHostMiddleware.__init__

    def lenient(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.allowed_hosts = [host.replace("*.", "*") for host in self.allowed_hosts]

    return mock.patch.object(TrustedHostMiddleware, "__init__", lenient)


@broken("hosts")
def redirects_for_good() -> Patched:
    call = HTTPSRedirectMiddleware.__call__

    async def permanent(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            await send({**message, "status": 308} if message.get("status") == 307 else message)

        await call(self, scope, receive, sending)

    return mock.patch.object(HTTPSRedirectMiddleware, "__call__", permanent)


@broken("body limits")
def counts_one_less() -> Patched:
    receive = RequestBodyLimitResponder.receive_with_limit

    async def lenient(self: Any) -> Any:
        self.total_size -= 0 if self.total_size else 1
        return await receive(self)

    return mock.patch.object(RequestBodyLimitResponder, "receive_with_limit", lenient)
