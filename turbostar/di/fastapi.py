"""Dependencies for FastAPI: ``Depends(di(Repo))``."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from starlette.datastructures import State
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from turbostar.di.container import Container
from turbostar.di.handlers import Argument, Call
from turbostar.di.hints import Parameter, need_of
from turbostar.di.keys import Key, show
from turbostar.di.markers import Named
from turbostar.di.middleware import shared_scope
from turbostar.di.scopes import Scope

try:
    from fastapi import Depends
except ImportError as exc:
    raise ImportError("Depends(di(...)) needs FastAPI: pip install fastapi") from exc

__all__ = ["dependency"]

_made: WeakKeyDictionary[Container, dict[Key | None, Callable[..., Any]]] = WeakKeyDictionary()


def dependency(container: Container, key: Key) -> Callable[..., Any]:
    """The callable that provides what is under a key: the same one each time.

    All of them in one request share one scope, which FastAPI closes as it closes its own
    dependencies with ``yield``. `app.dependency_overrides` may name it, and `Container.override`
    works as everywhere. It adds nothing to the OpenAPI schema. The container knows it from now on
    as it knows handlers: faults of what it needs are told at startup, and singletons built.

    Args:
        container: where it comes from.
        key: the type, and the name if it has one.
    """
    made = _made.setdefault(container, {})
    if key not in made:
        for hint in (HTTPConnection, Request, WebSocket, State):
            container.context(hint)
        if None not in made:
            made[None] = _scope_of(container)
        made[key] = _from_scope(container, key, made[None])
    return made[key]


def _scope_of(container: Container) -> Callable[..., AsyncIterator[Scope]]:
    """A dependency of FastAPI that opens a scope for each request."""
    opener = container.scope

    async def scope(conn: HTTPConnection) -> AsyncIterator[Scope]:
        shared = shared_scope(conn.scope, container)
        if shared is not None:  # as middleware asks, which closes it as well
            try:
                yield shared
            except BaseException as exc:
                shared.failure = exc
                raise
            return
        context = {HTTPConnection: conn, type(conn): conn, State: conn.state}
        async with opener(context) as opened:
            yield opened

    return scope


def _from_scope(container: Container, key: Key, scope: Callable[..., Any]) -> Callable[..., Any]:
    def provided(value: Any) -> Any:
        return value

    shown = show(key.type) if key.name is None else f"{show(key.type)}, {key.name!r}"
    provided.__qualname__ = f"Depends(di({shown}))"
    hint = key.type if key.name is None else Annotated[key.type, Named(key.name)]
    need = need_of(Parameter("value", hint, False, False), {}, provided)
    call = Call(provided, "scope", [Argument("value", need)], shared="scope")
    made: Any = container.handler(call).function
    # FastAPI reads signatures; ours names a dependency that is made here.
    asks = inspect.Parameter(
        "scope", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Any, Depends(scope)]
    )
    made.__signature__ = inspect.Signature([asks])
    return made  # type: ignore[no-any-return]
