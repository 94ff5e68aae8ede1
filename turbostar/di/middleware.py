"""Middleware: one scope for each request, and constructors that ask for dependencies."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope as ASGIScope, Send
from starlette.websockets import WebSocket

from turbostar.di.container import Container
from turbostar.di.errors import UnresolvableHint
from turbostar.di.handlers import Argument, Call
from turbostar.di.hints import Parameter, is_asked, need_of, parameters_of
from turbostar.di.providers import APP
from turbostar.di.scopes import Scope, ended
from turbostar.di.teardown import Opened, close, unwind

__all__ = ["ScopeMiddleware", "SuppliedMiddleware", "shared_scope", "shared_source", "supplied"]

#: Where a request's ASGI scope holds what was opened for it: a scope for each container.
_KEY = "turbostar.di"


def shared_scope(scope: ASGIScope, container: Container) -> Scope | None:
    """The scope that a container has opened for a request already."""
    found: Scope | None = scope.get(_KEY, {}).get(container)
    return found


def shared_source(container: Container, conn: str) -> str:
    """The expression for that in a generated function."""
    return f'{conn}.scope["{_KEY}"][{container.names.enter(container, "container")}]'


class ScopeMiddleware:
    """Opens one scope for each request, where middleware and handlers share what lives in it."""

    def __init__(self, app: ASGIApp, container: Container) -> None:
        self.app = app
        self.container = container

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        is_request = scope["type"] in ("http", "websocket")
        if not is_request or shared_scope(scope, self.container) is not None:
            await self.app(scope, receive, send)
            return
        conn: HTTPConnection
        if scope["type"] == "http":
            conn = Request(scope, receive, send)
        else:
            conn = WebSocket(scope, receive, send)
        context = {type(conn): conn, HTTPConnection: conn, State: conn.state}
        shared = self.container.scope(context)
        scope[_KEY] = {**scope.get(_KEY, {}), self.container: shared}
        try:
            await self.app(scope, receive, send)
        except BaseException as exc:
            await unwind(ended(shared), exc)
            raise
        failure = getattr(shared, "failure", None)
        if failure is None:
            await close(ended(shared))
        else:
            await unwind(ended(shared), failure)


class SuppliedMiddleware:
    """Stands where a middleware is whose constructor asks for dependencies.

    It is made when the first request comes, after the singletons were built, and anew when they
    are others, as in an override.
    """

    def __init__(
        self,
        app: ASGIApp,
        container: Container,
        entry: Any,
        supply: Callable[[], Awaitable[dict[str, Any]]],
    ) -> None:
        self.app = app
        self._container = container
        self._entry = entry
        self._supply = supply
        self._made: Any = None
        self._made_for: object = None

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # in which the singletons are built
            await self.app(scope, receive, send)
            return
        if self._made_for is not self._container.generation:
            await self._make()
        await self._made(scope, receive, send)

    async def _make(self) -> None:
        wiring = self._container.wiring
        generation = self._container.generation
        needs = await self._supply()
        if self._made_for is not generation:  # nobody else was first
            entry = self._entry
            self._made = entry.cls(self.app, *entry.args, **entry.kwargs, **needs)
            self._made_for = generation if wiring is self._container.wiring else None


def supplied(container: Container, entry: Any) -> Middleware | None:
    """What takes the place of a middleware whose constructor asks; None if it does not ask.

    Raises:
        UnresolvableHint: it asks, and one of its hints cannot be resolved.
    """
    try:
        parameters = parameters_of(entry.cls, container.wiring.registry.known)
    except UnresolvableHint:
        if _lacks(entry):
            raise
        return None
    open_ = [each for each in parameters[1 + len(entry.args) :] if each.name not in entry.kwargs]
    asked = [each for each in open_ if is_asked(each) or _is_needed(each)]
    if not asked:
        return None

    def supply(**needs: Any) -> dict[str, Any]:
        return needs

    def keep(needs: dict[str, Any], opened: Opened) -> dict[str, Any]:
        container.wiring.opened.extend(opened)  # to be closed with the singletons
        return needs

    supply.__qualname__ = getattr(entry.cls, "__qualname__", type(entry.cls).__qualname__)
    supply.__wrapped__ = entry.cls  # type: ignore[attr-defined]
    arguments = [Argument(each.name, need_of(each, {}, entry.cls), True) for each in asked]
    finish = container.names.reserve("keep", keep)
    call = Call(supply, "", arguments, finish=finish, scope=APP)
    function = container.handler(call).function
    return Middleware(SuppliedMiddleware, container=container, entry=entry, supply=function)


def _is_needed(parameter: Parameter) -> bool:
    return not parameter.has_default and parameter.hint is not inspect.Parameter.empty


def _lacks(entry: Any) -> bool:
    """Whether the constructor wants more than it is given."""
    try:
        inspect.signature(entry.cls).bind(None, *entry.args, **entry.kwargs)
    except (TypeError, ValueError):
        return True
    return False
