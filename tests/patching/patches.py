"""Patches in the style of tracing tools: each tells of its calls, and passes them on."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from tests.patching.asking import LOG

#: Methods of Starlette's, replaced on its own classes, and a function, on its module.
ON_CLASSES = (
    "applications:Starlette.__call__",
    "applications:Starlette.add_middleware",
    "applications:Starlette.build_middleware_stack",
    "middleware.errors:ServerErrorMiddleware.__call__",
    "middleware.exceptions:ExceptionMiddleware.__call__",
    "middleware.exceptions:ExceptionMiddleware.http_exception",
    "requests:Request.__init__",
    "responses:JSONResponse.render",
    "responses:Response.__call__",
    "routing:Mount.handle",
    "routing:Mount.matches",
    "routing:Route.handle",
    "routing:Route.matches",
    "routing:Router.__call__",
    "routing:Router.app",
    "routing:WebSocketRoute.handle",
    "routing:request_response",
)
#: Attributes of one application.
ON_INSTANCES = ("app.build_middleware_stack", "app.middleware_stack")
TARGETS = ON_CLASSES + ON_INSTANCES

_ABSENT: Any = object()
Undo = Callable[[], None]


class Proxy:
    """A wrapper like wrapt's: an object that passes for the function it wraps, and equals it."""

    def __init__(self, wrapped: Any, tell: Callable[[], None]) -> None:
        self._wrapped = wrapped
        self._tell = tell

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._wrapped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._wrapped == other)

    def __hash__(self) -> int:
        return hash(self._wrapped)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return Proxy(self._wrapped.__get__(instance, owner), self._tell)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._tell()
        return self._wrapped(*args, **kwargs)


def proxy(original: Any, told: str) -> Any:
    """A wrapper that is such an object."""
    return Proxy(original, lambda: LOG.append(told))


def wrapper(original: Any, told: str) -> Any:
    """A wrapper that is a function of the same kind."""
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def later(*args: Any, **kwargs: Any) -> Any:
            LOG.append(told)
            return await original(*args, **kwargs)

        return later

    @functools.wraps(original)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        LOG.append(told)
        return original(*args, **kwargs)

    return at_once


def maker(original: Any, told: str) -> Any:
    """Stands for `request_response`, and wraps each endpoint that it is called with."""

    def request_response(func: Any) -> Any:
        LOG.append(told)
        return original(wrapper(func, f"endpoint of {told}"))

    return request_response


STYLES: dict[str, Callable[[Any, str], Any]] = {"function": wrapper, "proxy": proxy}


def patch(target: str, style: str, apps: list[Any]) -> Undo:
    """Apply one patch, to Starlette or to each of the applications, and return its undo."""
    if target in ON_CLASSES:
        return _patch_starlette(target, maker if "request_resp" in target else STYLES[style])
    undos = [_patch_instance(target, STYLES[style], app) for app in apps]

    def undo() -> None:
        for one in undos:
            one()

    return undo


def _patch_starlette(target: str, wrap: Callable[[Any, str], Any]) -> Undo:
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(f"starlette.{module}")
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    own = vars(owner).get(name, _ABSENT)
    setattr(owner, name, wrap(getattr(owner, name), path))

    def undo() -> None:
        if own is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, own)

    return undo


def _patch_instance(target: str, wrap: Callable[[Any, str], Any], app: Any) -> Undo:
    served = app.middleware_stack is not None
    if target == "app.build_middleware_stack":
        app.build_middleware_stack = wrap(app.build_middleware_stack, target)
        if served:
            app.middleware_stack = app.build_middleware_stack()
        return lambda: delattr(app, "build_middleware_stack")
    stack = app.middleware_stack or app.build_middleware_stack()

    async def traced(scope: Any, receive: Any, send: Any) -> None:
        LOG.append(target)
        await stack(scope, receive, send)

    app.middleware_stack = traced
    return lambda: setattr(app, "middleware_stack", stack)
