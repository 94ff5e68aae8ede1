"""One middleware of a stack: by whose code it runs, and how responses come up to it."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware

from turbostar._attach.install import installed
from turbostar._attach.kill_switch import DISABLED
from turbostar._explain.places import name_of
from turbostar._explain.reasons import OFF, Reason, method_reason, unfused_reason
from turbostar._guard.sources import is_known
from turbostar._guard.table import TABLE, Acceleration
from turbostar._middleware import base_http
from turbostar._stages.protocol import leads_to_answer

__all__ = [
    "ACCELERATED",
    "FOREIGN",
    "FUSED",
    "MESSAGES",
    "STOCK",
    "WHOLE",
    "Found",
    "middleware",
    "shown",
]

FUSED = "fused"
WHOLE = "whole responses"
MESSAGES = "messages"
ACCELERATED = "accelerated"
STOCK = "stock"
FOREIGN = "foreign ASGI"


class Found:
    """What is found out about one layer of a stack.

    Attributes:
        is_stage: whether complete responses come up to it, and through it, whole.
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
        return isinstance(self.layer, BaseHTTPMiddleware)


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
        is_stage = below.is_stage and leads_to_answer(layer)
        return Found(layer, ACCELERATED, is_stage=is_stage)
    cause = "a method that it bypasses was overridden or replaced: Starlette's own code runs"
    return Found(layer, STOCK, Reason(cause, topic="overridden"))


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
    "CORSMiddleware": "turbostar._middleware.cors",
    "GZipMiddleware": "turbostar._middleware.gzip",
    "RequestBodyLimitMiddleware": "turbostar._middleware.body_limit",
    "SessionMiddleware": "turbostar._middleware.sessions",
    "TrustedHostMiddleware": "turbostar._middleware.hosts",
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
            "swapped-imports",
        )
    return [] if found is None else [found]


# BaseHTTPMiddleware


def _base_http(layer: Any, below: Found, entry: Acceleration, swapped: bool) -> Found:
    inherited = [vars(cls).get("__call__") for cls in type(layer).__mro__]
    if entry.replacement not in inherited:
        return Found(layer, STOCK, *_unaccelerated(layer, entry, swapped))
    if not base_http.is_unpatched():
        return Found(layer, STOCK, unfused_reason() or _replaced_part())
    is_stage = leads_to_answer(layer)
    if leads_to_answer(layer.app) and below.is_stage:
        return Found(layer, WHOLE, is_stage=is_stage)
    return Found(layer, MESSAGES, _obstacle(layer), is_stage=is_stage)


def _replaced_part() -> Reason:
    """Which of the parts that Starlette's middleware is made of is not Starlette's own."""
    for cls, name in base_http.PARTS:
        found = method_reason(cls.__new__(cls), cls, name)
        if found is not None:
            return found
    cause = "a part of Starlette's middleware is not one that turbostar knows"
    return Reason(cause, topic="replaced")


def _obstacle(layer: Any) -> Reason:
    """Why the responses of what a BaseHTTPMiddleware calls do not come up whole."""
    below, change = layer.app, ""
    name = name_of(shown(layer))
    if isinstance(below, BaseHTTPMiddleware):
        why = "overrides __call__()"
    elif isinstance(below, ExceptionMiddleware):
        why = "is not fused"
    elif leads_to_answer(below):
        why = "stands over what sends its responses itself"
    elif isinstance(below, Starlette):
        why = "is an application by itself"
        change = f"give {name} to it, as in app.add_middleware()"
    else:
        why = "may do something after it was answered"
        change = f"put {name} below it, nearer to the routes, if the order may change"
    effect = "each response waits there until it is sent"
    return Reason(f"{name_of(shown(below))}, below {name}, {why}: {effect}", change, "waits")
