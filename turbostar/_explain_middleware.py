"""One middleware of a stack: by whose code it runs, and in whose task what is below it runs."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware

from turbostar._accelerations import TABLE, Acceleration, is_known
from turbostar._bytecode import objection_to_dispatch
from turbostar._explain_routes import OFF, Reason, method_reason, unfused_reason
from turbostar._install import installed
from turbostar._stages import stage_of
from turbostar._switch import DISABLED
from turbostar._walk import describe, name_of

__all__ = [
    "ACCELERATED",
    "FOREIGN",
    "FUSED",
    "SHARES",
    "SPLITS",
    "STOCK",
    "Found",
    "middleware",
    "shown",
]

FUSED = "fused"
SHARES = "shares its task"
SPLITS = "new task below"
ACCELERATED = "accelerated"
STOCK = "stock"
FOREIGN = "foreign ASGI"

_OWN = "runs in a task of its own"


class Found:
    """What is found out about one layer of a stack.

    Attributes:
        is_stage: whether its response can be had unsent, in the task of what is above.
    """

    def __init__(self, layer: Any, state: str, *reasons: Reason, is_stage: bool = False) -> None:
        self.layer = layer
        self.state = state
        self.reasons = reasons
        self.notes: list[Reason] = []
        self.is_stage = is_stage

    @property
    def splits(self) -> bool:
        """Whether what is below it runs in another task."""
        return isinstance(self.layer, BaseHTTPMiddleware) and self.state != SHARES


def shown(layer: Any) -> Any:
    """What to name a layer after: of ``BaseHTTPMiddleware(app, dispatch)``, the function."""
    is_bare = isinstance(layer, BaseHTTPMiddleware) and (
        type(layer).dispatch is BaseHTTPMiddleware.dispatch
    )
    return layer.dispatch_func if is_bare else layer


def middleware(layer: Any, below: Found, swapped: bool) -> Found:
    """Explain a middleware.

    Args:
        layer: the middleware.
        below: what was found out about what it calls.
        swapped: whether the application is one that swapped its imports.
    """
    if DISABLED:
        return Found(layer, STOCK, OFF)
    entry = next((entry for entry in _calls() if isinstance(layer, entry.owner)), None)
    if entry is None:
        is_own = type(layer).__module__.startswith("starlette.")
        return Found(layer, STOCK if is_own else FOREIGN)
    if isinstance(layer, BaseHTTPMiddleware):
        return _base_http(layer, below, entry, swapped)
    call: Any = type(layer).__call__
    if call is not entry.replacement:
        state = STOCK if is_known(call, entry.owner, "__call__") else FOREIGN
        return Found(layer, state, *_unaccelerated(layer, entry, swapped))
    where = _CHECKED.get(entry.owner.__name__)
    if where is None or importlib.import_module(where).is_plain(layer):
        is_stage = below.is_stage and stage_of(layer) is not None
        return Found(layer, ACCELERATED, is_stage=is_stage)
    cause = "a method that it goes without was overridden or replaced: Starlette's own code runs"
    return Found(layer, STOCK, Reason(cause))


@functools.cache
def _calls() -> tuple[Acceleration, ...]:
    """The accelerations of middleware."""
    return tuple(
        entry
        for entry in TABLE
        if entry.name == "__call__" and entry.target.startswith("starlette.middleware.")
    )


# Which of Starlette's middleware go fast only if they are as Starlette made them, and who asks.
_CHECKED = {
    "CORSMiddleware": "turbostar._cors",
    "GZipMiddleware": "turbostar._gzip",
    "RequestBodyLimitMiddleware": "turbostar._body_limit",
    "SessionMiddleware": "turbostar._sessions",
    "TrustedHostMiddleware": "turbostar._hosts",
}


def _unaccelerated(layer: Any, entry: Acceleration, swapped: bool) -> list[Reason]:
    """Why the ``__call__`` of one of Starlette's middleware, or of a subclass, is not ours."""
    found = method_reason(layer, entry.owner, "__call__")
    if found is None and swapped and not installed():
        name, module = entry.owner.__name__, entry.owner.__module__
        own = type(layer) is entry.owner
        found = Reason(
            f"{'it is' if own else 'it derives from'} {module}.{name} in an app that swapped "
            "imports",
            f"import {name} from {module.replace('starlette', 'turbostar', 1)} or call "
            "turbostar.install()",
        )
    return [] if found is None else [found]


# BaseHTTPMiddleware


def _base_http(layer: Any, below: Found, entry: Acceleration, swapped: bool) -> Found:
    from turbostar.middleware.base import Plan, _is_stock  # absent under the kill switch

    inherited = [vars(cls).get("__call__") for cls in type(layer).__mro__]
    if entry.replacement not in inherited:
        return Found(layer, STOCK, *_unaccelerated(layer, entry, swapped))
    if not _is_stock():
        return Found(layer, STOCK, unfused_reason() or _replaced_part())
    dispatch = layer.__dict__.get("dispatch_func")
    if dispatch is None:
        return Found(layer, STOCK, Reason("its dispatch_func is not an attribute of its own"))
    plan = Plan(layer, dispatch)
    is_stage = plan.is_plain and stage_of(layer) is not None
    if plan.stage is not None and below.is_stage:
        return Found(layer, SHARES, is_stage=is_stage)
    objection = objection_to_dispatch(dispatch)
    if objection is None:
        return Found(layer, SPLITS, _obstacle(layer), is_stage=is_stage)
    where = f" (line {objection.line})" if objection.line else ""
    said = f"{describe(dispatch)} {objection.cause}{where}"
    if plan.is_stock:
        return Found(layer, STOCK, Reason(f"{said}: it runs as on Starlette", objection.change))
    return Found(layer, SPLITS, Reason(f"{said}: what is below it {_OWN}", objection.change))


def _replaced_part() -> Reason:
    """Which of the parts that Starlette's middleware is made of is not Starlette's own."""
    from turbostar.middleware.base import PARTS  # absent under the kill switch

    for cls, name in PARTS:
        found = method_reason(cls.__new__(cls), cls, name)
        if found is not None:
            return found
    return Reason("a part of Starlette's middleware is not one that turbostar knows")


def _obstacle(layer: Any) -> Reason:
    """Why the response of what a BaseHTTPMiddleware calls cannot be had unsent."""
    below, change = layer.app, ""
    name = name_of(shown(layer))
    if isinstance(below, BaseHTTPMiddleware):
        why = "overrides __call__()" if stage_of(below) is None else "cannot share a task"
    elif isinstance(below, ExceptionMiddleware):
        why = "is not fused"
    elif stage_of(below) is not None:
        why = "stands over what sends its responses itself"
    elif isinstance(below, Starlette):
        why = "is an application by itself"
        change = f"give {name} to it, as in app.add_middleware()"
    else:
        why = "sends its responses itself"
        change = f"put {name} below it, nearer to the routes, if the order may change"
    return Reason(f"{name_of(shown(below))}, below {name}, {why}: it {_OWN}", change)
