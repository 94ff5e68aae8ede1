"""What of an application is on the fast path, and of the rest, why not and what to change.

Nothing here is asked while requests are served. What is true is asked of the modules that serve
(`entry_of`, `plain_router`, `Core`); here and in `_explain_routes` it is put into words.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Router

from turbostar._accelerations import BYPASSED, TABLE, Acceleration, is_stock, objection
from turbostar._explain_routes import (
    OFF,
    Reason,
    RouteReport,
    definer_of,
    explain_route,
    list_notes,
    method_reason,
    ours,
    replaced_functions,
    router_reasons,
    unfused_reason,
)
from turbostar._install import installed
from turbostar._patches import can_fuse, look_again
from turbostar._switch import DISABLED
from turbostar._table import plain_router
from turbostar._walk import application_of, author_of, chain_to, describe, name_of, walk

__all__ = [
    "Layer",
    "Patch",
    "Report",
    "Standing",
    "build_stack",
    "explain",
    "is_swapped",
]


@dataclass(frozen=True)
class Standing:
    """Whether one row of the table of accelerations is in force, and if not, why."""

    target: str
    in_force: bool
    reason: str = ""


@dataclass(frozen=True)
class Patch:
    """A function that the fast path would bypass, and the module that replaced it."""

    target: str
    by: str


@dataclass(frozen=True)
class Layer:
    """A layer of the middleware stack.

    Attributes:
        name: of its class, or of the function if it is one.
        defined: where, as ``module:name``.
        fused: whether it is part of the fused path.
        reasons: why it is not.
        notes: what else there is to know.
    """

    name: str
    defined: str
    fused: bool
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Report:
    """All there is to tell of an application.

    Attributes:
        mode: "installed", "swapped" imports, or "stock".
        stack: how much of the stack is one coroutine.
        layers: from the outside in, the router last.
    """

    mode: str
    stack: str
    standings: tuple[Standing, ...]
    patches: tuple[Patch, ...]
    layers: tuple[Layer, ...]
    routes: tuple[RouteReport, ...]

    @property
    def summary(self) -> str:
        """The whole in one line."""
        fast = sum(route.fast for route in self.routes)
        return f"{fast} of {len(self.routes)} routes on the fast path; stack: {self.stack}"


def is_swapped(app: Any) -> bool:
    """Whether an application was made of turbostar's classes, as one that swapped imports is."""
    classes = type(application_of(app)).__mro__
    return any(cls.__module__.startswith("turbostar.") for cls in classes)


def build_stack(app: Any) -> None:
    """Build the middleware stack of an application, as its first request would.

    Raises whatever a middleware raises when it is made.
    """
    application = application_of(app)
    if isinstance(application, Starlette) and application.middleware_stack is None:
        application.middleware_stack = application.build_middleware_stack()


def explain(app: Any) -> Report:
    """Explain an ASGI application, as it is now."""
    build_stack(app)
    if not DISABLED:
        look_again()  # as the next request would
    application = application_of(app)
    stack, layers = _stack(app, application)
    return Report(
        mode=_mode(app),
        stack=stack,
        standings=tuple(_standing(entry) for entry in TABLE),
        patches=tuple(_patches()),
        layers=tuple(layers),
        routes=tuple(explain_route(place) for place in walk(application)),
    )


def _mode(app: Any) -> str:
    if DISABLED:
        return "stock"
    if installed():
        return "installed"
    return "swapped" if is_swapped(app) else "stock"


# What is in force


def _standing(entry: Acceleration) -> Standing:
    if DISABLED:
        return Standing(entry.target, False, OFF.cause)
    owner = entry.owner if installed() else _swapped_class(entry)
    if vars(owner).get(entry.name) is entry.replacement:
        return Standing(entry.target, True)
    found = vars(entry.owner).get(entry.name)
    if found is not None and author_of(found) != entry.owner.__module__:
        return Standing(entry.target, False, f"has been replaced by {author_of(found)}")
    reason = objection(entry) or "is stock: turbostar.install() is not in force"
    return Standing(entry.target, False, reason.removeprefix(f"{entry.target} "))


def _swapped_class(entry: Acceleration) -> type:
    """The class that has ours where imports are swapped."""
    module = entry.target.partition(":")[0].replace("starlette", "turbostar", 1)
    name = entry.path.partition(".")[0]
    swapped: type = getattr(importlib.import_module(module), name)
    return swapped


def _patches() -> Iterator[Patch]:
    if DISABLED:
        return
    for entry in BYPASSED:
        found = vars(entry.owner).get(entry.name)
        if not is_stock(found, entry):
            yield Patch(entry.target, author_of(found))
    in_table = {entry.target for entry in (*TABLE, *BYPASSED)}
    for target, author in replaced_functions().items():
        if target not in in_table:
            yield Patch(target, author)


# The stack


def _stack(app: Any, application: Any) -> tuple[str, list[Layer]]:
    outer = [
        _layer(layer, [Reason(f"{name_of(layer)} is called before the application, as on stock")])
        for layer in chain_to(app, lambda found: found is application)[:-1]
    ]
    if not isinstance(application, Starlette):
        if isinstance(application, Router):
            outer.append(_layer(application, [] if DISABLED else router_reasons(application)))
        return "no Starlette application", outer
    router = application.router
    chain = chain_to(application.middleware_stack, lambda found: found is router)
    if not chain:
        return "stock", [*outer, _layer(application, [_hidden()]), _layer(router, [_hidden()])]
    if DISABLED:
        return "stock", [*outer, *(_layer(layer, [OFF]) for layer in (application, *chain))]
    first = _fused_from(application, chain)
    layers = [_application_layer(application, first == 0)]
    for index, layer in enumerate(chain):
        reasons = [] if index >= first else _reasons(chain, index, first)
        layers.append(_layer(layer, reasons, list_notes(layer) if layer is router else ()))
    stack = "stock"
    if first < len(chain):
        stack = "fused" if first == 0 else f"fused from {name_of(chain[first])} down"
    return stack, outer + layers


def _hidden() -> Reason:
    return Reason(
        "what stands between the application and its router cannot be seen",
        "let each middleware keep the next ASGI app in its attribute app",
    )


def _layer(layer: Any, reasons: Iterator[Reason] | list[Reason], notes: Any = ()) -> Layer:
    found = tuple(reasons)
    return Layer(name_of(layer), describe(layer), not found, found, tuple(notes))


def _fused_from(application: Starlette, chain: list[Any]) -> int:
    """The index of the outermost layer of the part that is fused; len(chain) if none is."""
    from turbostar.applications import Core  # absent under the kill switch

    if not can_fuse():
        return len(chain)
    calls = [vars(cls).get("__call__") for cls in type(application).__mro__]
    call = ours("starlette.applications:Starlette.__call__")
    if call in calls and Core(chain[0]).plain is not None:
        return 0
    call = ours("starlette.middleware.exceptions:ExceptionMiddleware.__call__")
    for index, layer in enumerate(chain[:-1]):
        if type(layer).__call__ is call and plain_router(layer.app) is not None:
            return index
    return len(chain)


def _application_layer(app: Any, fused: bool) -> Layer:
    notes = []
    definer = definer_of(type(app), "__call__")
    call = vars(definer)["__call__"]
    if call is not ours("starlette.applications:Starlette.__call__"):
        cause = f"class {describe(definer)} overrides __call__()"
        if definer is Starlette:
            cause = f"starlette.applications.Starlette.__call__ is that of {author_of(call)}"
        effect = (
            "the fused path begins where it calls Starlette's" if fused else "it is called first"
        )
        notes.append(Reason(f"{cause}: {effect}"))
    if "build_middleware_stack" in vars(app):
        by = describe(app.build_middleware_stack)
        notes.append(Reason(f"its build_middleware_stack() was replaced, on this object, by {by}"))
    reasons = [] if fused else [Reason("it calls its middleware stack, as on stock")]
    return _layer(app, reasons, notes)


def _reasons(chain: list[Any], index: int, first: int) -> list[Reason]:
    layer = chain[index]
    if index + 1 == len(chain):
        return list(router_reasons(layer)) or [Reason("no layer above it is fused with it")]
    if isinstance(layer, ServerErrorMiddleware):
        return [_error_reason(layer, ServerErrorMiddleware, chain[index + 1], ExceptionMiddleware)]
    if isinstance(layer, ExceptionMiddleware):
        return [_error_reason(layer, ExceptionMiddleware, chain[index + 1], Router)]
    below = "is fused" if index < first < len(chain) else "is not fused either"
    cause = f"{_sort(layer)}: what is above it runs as stock; the part below it {below}"
    return [Reason(cause, _change(layer))]


def _error_reason(layer: Any, base: type, inner: Any, wanted: type) -> Reason:
    """Why one of the two error middleware is not fused."""
    found = unfused_reason() or method_reason(layer, base, "__call__")
    if found is not None:
        return found
    if not isinstance(inner, wanted):
        return Reason(f"{name_of(inner)} stands between it and {wanted.__name__}")
    return Reason(f"{name_of(inner)}, below it, cannot be fused")


def _sort(layer: Any) -> str:
    name = name_of(layer)
    module = describe(layer).partition(":")[0]
    if module.startswith(("starlette.", "turbostar.")):
        return f"{name} is called as on stock"
    if isinstance(layer, BaseHTTPMiddleware):
        return f"{name} is a BaseHTTPMiddleware"
    return f"{name} is a foreign ASGI middleware"


def _change(layer: Any) -> str:
    if isinstance(layer, RequestBodyLimitMiddleware):
        return "give max_body_size to the routes that need it, not to the whole application"
    if isinstance(layer, BaseHTTPMiddleware):
        return "a middleware that is a plain ASGI class costs less than a BaseHTTPMiddleware"
    return ""
