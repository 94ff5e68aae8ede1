"""Endpoints, handlers and responses that are wrong in one respect each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from starlette import routing
from starlette._exception_handler import _lookup_exception_handler
from starlette.applications import Starlette
from starlette.background import BackgroundTasks
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response

from tests.differential.broken.register import Patched, broken


@broken("exceptions")
def prefers_a_handler_by_class() -> Patched:
    async def call(self: ExceptionMiddleware, scope: Any, receive: Any, send: Any) -> None:
        if self._exception_handlers[HTTPException] != self.http_exception:
            self._status_handlers.clear()
        await _exception_middleware(self, scope, receive, send)

    return mock.patch.object(ExceptionMiddleware, "__call__", call)


_exception_middleware = ExceptionMiddleware.__call__


@broken("exceptions")
def looks_for_the_farthest_handler() -> Patched:
    def lookup(handlers: Any, exc: Exception) -> Any:
        found = [handlers[cls] for cls in type(exc).__mro__ if cls in handlers]
        return found[-1] if found else _lookup_exception_handler(handlers, exc)

    return mock.patch("starlette._exception_handler._lookup_exception_handler", lookup)


@broken("served")
def runs_sync_endpoints_at_once() -> Patched:
    async def at_once(func: Any, *args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return mock.patch.object(routing, "run_in_threadpool", at_once)


@broken("endpoints")
def runs_background_tasks_backwards() -> Patched:
    async def call(self: BackgroundTasks) -> None:
        for task in reversed(self.tasks):
            await task()

    return mock.patch.object(BackgroundTasks, "__call__", call)


@broken("served")
def sends_the_body_with_the_start() -> Patched:
    async def call(self: Response, scope: Any, receive: Any, send: Any) -> None:
        headers = list(self.raw_headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
        if self.background is not None:
            await self.background()

    return mock.patch.object(Response, "__call__", call)


@broken("served")
def raises_from_another_exception() -> Patched:
    call = Starlette.__call__

    async def chained(self: Starlette, scope: Any, receive: Any, send: Any) -> None:
        try:
            await call(self, scope, receive, send)
        except Exception as exc:
            raise exc from LookupError("of our own")

    return mock.patch.object(Starlette, "__call__", chained)


@broken("interleaved")
def mixes_up_interleaved_requests() -> Patched:
    init = Request.__init__
    last: list[Any] = []

    def mixed(self: Request, scope: Any, *channels: Any) -> None:
        last[:] = [scope]
        init(self, scope, *channels)
        vars(self).pop("scope", None)

    @contextlib.contextmanager
    def patched() -> Iterator[None]:
        latest = property(lambda self: last[-1], lambda self, scope: None)
        with (
            mock.patch.object(Request, "__init__", mixed),
            mock.patch.object(Request, "scope", latest, create=True),
        ):
            yield

    return patched()
