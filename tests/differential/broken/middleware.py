"""BaseHTTPMiddleware that is wrong in one respect each, for the tests of these tests."""

from __future__ import annotations

from typing import Any
from unittest import mock

from starlette.middleware import base
from starlette.middleware.base import BaseHTTPMiddleware

from tests.differential.broken.register import Patched, broken

_call, _answer = BaseHTTPMiddleware.__call__, base._StreamingResponse.__call__
_Response = base._StreamingResponse


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


@broken("exceptions above")
def forgets_the_cause() -> Patched:
    async def around(own: Any, request: Any, call_next: Any) -> Any:
        try:
            return await own(request, call_next)
        except Exception as exc:
            raise exc from None

    return _dispatching(around)


@broken("exceptions above")
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
