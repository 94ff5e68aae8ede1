"""The middleware stack: which layers are fused, in which tasks they run, what costs, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Router

from turbostar._attach.kill_switch import DISABLED
from turbostar._dispatch.application import Core
from turbostar._explain.middleware import (
    FOREIGN,
    FUSED,
    STOCK,
    Found,
    middleware,
    shown,
)
from turbostar._explain.places import application_of, author_of, chain_to, describe, name_of
from turbostar._explain.reasons import (
    OFF,
    Reason,
    definer_of,
    list_notes,
    method_reason,
    ours,
    router_reasons,
    unfused_reason,
)
from turbostar._guard.patches import can_fuse
from turbostar._routing.entries import plain_router

__all__ = ["Layer", "Stack", "explain_stack", "is_swapped"]


@dataclass(frozen=True)
class Layer:
    """A layer of the middleware stack.

    Attributes:
        name: of its class, or of the function if it is one.
        defined: where, as ``module:name``.
        state: "fused", where one coroutine is several layers; of a BaseHTTPMiddleware "whole
            responses" or "messages", after what it gets from below; of other middleware
            "accelerated" or "foreign ASGI"; "stock".
        task: the number of the task that it runs in, from 1.
        reasons: why it is not faster.
        notes: what else there is to know.
    """

    name: str
    defined: str
    state: str
    task: int
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()

    @property
    def fused(self) -> bool:
        """Whether it is part of the fused path."""
        return self.state == FUSED


@dataclass(frozen=True)
class Stack:
    """All layers.

    Attributes:
        summary: of them, in a few words.
        layers: from the outside in, the router last.
    """

    summary: str
    layers: tuple[Layer, ...]


def is_swapped(app: Any) -> bool:
    """Whether an application was made of turbostar's classes, as one that swapped imports is."""
    classes = type(application_of(app)).__mro__
    return any(cls.__module__.startswith("turbostar.") for cls in classes)


def explain_stack(app: Any, application: Any) -> Stack:
    """Explain the layers of an ASGI application, of which `application` is Starlette's part."""
    summary, found = _within(application)
    if application is not None:
        found = [*_around(app, application, found), *found]
    layers, task = [], 1
    for each in found:
        layers.append(_layer(each, task))
        task += each.splits
    if task > 1 and summary.startswith("fused"):
        summary += f", {task} tasks"
    return Stack(summary, tuple(layers))


def _layer(found: Found, task: int) -> Layer:
    named = shown(found.layer)
    reasons, notes = found.reasons, tuple(found.notes)
    return Layer(name_of(named), describe(named), found.state, task, reasons, notes)


def _around(app: Any, application: Any, within: list[Found]) -> list[Found]:
    """What the application is wrapped in."""
    chain = chain_to(app, lambda found: found is application)[:-1]
    found = within[:1] or [Found(application, STOCK)]
    for layer in reversed(chain):
        found.insert(0, middleware(layer, found[0], is_swapped(application)))
        if found[0].state == FOREIGN:
            cause = f"{name_of(layer)} is called before the application, as on stock"
            found[0].reasons = (*found[0].reasons, Reason(cause))
    return found[:-1]


def _within(application: Any) -> tuple[str, list[Found]]:
    """The application, and its layers down to the router."""
    if not isinstance(application, Starlette):
        routers = [application] if isinstance(application, Router) else []
        return "no Starlette application", [_router(router) for router in routers]
    router = application.router
    chain = chain_to(application.middleware_stack, lambda found: found is router)
    if DISABLED:
        return STOCK, [Found(layer, STOCK, OFF) for layer in (application, *chain)]
    if not chain:
        return STOCK, [Found(layer, STOCK, _HIDDEN) for layer in (application, router)]
    outside, first = _fused_parts(application, chain)
    found = [_router(router)]
    if first == len(chain) and not found[0].reasons:
        found = [Found(router, STOCK, Reason("no layer above it is fused with it"))]
    for index in reversed(range(len(chain) - 1)):
        found.insert(0, _found(chain, index, outside, first, found[0], application))
    found.insert(0, _application(application, outside))
    if first == 0:
        return "fused", found
    if first < len(chain):
        return f"fused from {name_of(chain[first])} down", found
    return (f"fused as far as {name_of(chain[0])}" if outside else STOCK), found


_HIDDEN = Reason(
    "what stands between the application and its router cannot be seen",
    "let each middleware keep the next ASGI app in its attribute app",
)


def _fused_parts(application: Starlette, chain: list[Any]) -> tuple[bool, int]:
    """Whether the application runs its outermost layer itself, and where the inner part begins.

    The inner part is fused down to the router. It begins at len(chain) if there is none.
    """
    if not can_fuse():
        return False, len(chain)
    calls = [vars(cls).get("__call__") for cls in type(application).__mro__]
    core = Core(chain[0])
    outside = ours("starlette.applications:Starlette.__call__") in calls and core.is_server_plain
    if outside and core.plain is not None:
        return True, 0
    call = ours("starlette.middleware.exceptions:ExceptionMiddleware.__call__")
    for index, layer in enumerate(chain[:-1]):
        if type(layer).__call__ is call and plain_router(layer.app) is not None:
            return outside, index
    return outside, len(chain)


def _found(
    chain: list[Any], index: int, outside: bool, first: int, below: Found, application: Any
) -> Found:
    layer, inner = chain[index], chain[index + 1]
    if index >= first or (index == 0 and outside):
        return Found(layer, FUSED, is_stage=isinstance(layer, ExceptionMiddleware))
    if isinstance(layer, ServerErrorMiddleware):
        found = unfused_reason() or method_reason(layer, ServerErrorMiddleware, "__call__")
        cause = f"{name_of(application)}, above it, calls it as on stock"
        return Found(layer, STOCK, found or Reason(cause))
    if isinstance(layer, ExceptionMiddleware):
        found = unfused_reason() or method_reason(layer, ExceptionMiddleware, "__call__")
        cause = f"{name_of(inner)} stands between it and Router"
        if isinstance(inner, Router):
            cause = f"{name_of(inner)}, below it, cannot be fused"
        return Found(layer, STOCK, found or Reason(cause, where=type(inner).__module__))
    return middleware(layer, below, is_swapped(application))


def _application(app: Any, fused: bool) -> Found:
    found = Found(app, FUSED)
    if not fused:
        found = Found(app, STOCK, Reason("it calls its middleware stack, as on stock"))
    definer = definer_of(type(app), "__call__")
    call = vars(definer)["__call__"]
    if call is not ours("starlette.applications:Starlette.__call__"):
        cause = f"class {describe(definer)} overrides __call__()"
        if definer is Starlette:
            cause = f"starlette.applications.Starlette.__call__ is that of {author_of(call)}"
        effect = (
            "the fused path begins where it calls Starlette's" if fused else "it is called first"
        )
        found.notes.append(Reason(f"{cause}: {effect}"))
    if "build_middleware_stack" in vars(app):
        by = describe(app.build_middleware_stack)
        cause = f"its build_middleware_stack() was replaced, on this object, by {by}"
        found.notes.append(Reason(cause))
    return found


def _router(router: Any) -> Found:
    reasons = [OFF] if DISABLED else [*router_reasons(router)]
    found = Found(router, STOCK if reasons else FUSED, *reasons)
    found.notes.extend(list_notes(router))
    return found
