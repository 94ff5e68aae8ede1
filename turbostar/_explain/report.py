"""What of an application is on the fast path, and of the rest, why not and what to change.

Nothing here is asked while requests are served. What is true is asked of the modules that serve
(`entry_of`, `plain_router`, `Core`, `Plan`); here and in the modules beside it is put into words.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from turbostar._attach.install import installed
from turbostar._attach.kill_switch import DISABLED, VARIABLE
from turbostar._explain.handlers import HandlerReport, explain_handlers
from turbostar._explain.places import application_of, author_of, walk
from turbostar._explain.reasons import OFF, replaced_functions
from turbostar._explain.routes import RouteReport, explain_route
from turbostar._explain.stack import Layer, explain_stack, is_swapped
from turbostar._guard.patches import look_again
from turbostar._guard.sources import is_stock, objection
from turbostar._guard.table import BYPASSED, TABLE, Acceleration

__all__ = [
    "Layer",
    "Patch",
    "Report",
    "Standing",
    "activity",
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
class Report:
    """All there is to tell of an application.

    Attributes:
        mode: "installed", "swapped" imports, or "stock".
        stack: how much of the stack is one coroutine, and how many tasks there are.
        layers: from the outside in, the router last.
        handlers: those that `turbostar.di` supplies.
    """

    mode: str
    stack: str
    standings: tuple[Standing, ...]
    patches: tuple[Patch, ...]
    layers: tuple[Layer, ...]
    routes: tuple[RouteReport, ...]
    handlers: tuple[HandlerReport, ...] = ()

    @property
    def summary(self) -> str:
        """The whole in one line."""
        fast = sum(route.fast for route in self.routes)
        return f"{fast} of {len(self.routes)} routes on the fast path; stack: {self.stack}"


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
    stack = explain_stack(app, application)
    return Report(
        mode=_mode(app),
        stack=stack.summary,
        standings=_standings(),
        patches=tuple(_patches()),
        layers=stack.layers,
        routes=tuple(explain_route(place) for place in walk(application)),
        handlers=explain_handlers(application),
    )


def activity(target: str) -> str:
    """How much is accelerated in this process, in one line.

    Args:
        target: the application, as the command line names it.
    """
    if DISABLED:
        return f"disabled by {VARIABLE}={os.environ.get(VARIABLE)}, all is stock Starlette"
    standings = _standings()
    active = sum(standing.in_force for standing in standings)
    more = "" if active == len(standings) else f"; turbostar doctor {target} tells why not all"
    return f"{active} of {len(standings)} accelerations active{more}"


def _standings() -> tuple[Standing, ...]:
    return tuple(_standing(entry) for entry in TABLE)


def _mode(app: Any) -> str:
    if DISABLED:
        return "stock"
    if installed():
        return "installed"
    return "swapped" if is_swapped(app) else "stock"


# What is in force


def _functions() -> list[Any]:
    return [entry.replacement for entry in TABLE]


def _standing(entry: Acceleration) -> Standing:
    if DISABLED:
        return Standing(entry.target, False, OFF.cause)
    owner = entry.owner if installed() else _swapped_class(entry)
    if installed() and entry.is_inherited:
        owner = next(cls for cls in entry.owner.__mro__[1:] if entry.name in vars(cls))
        return Standing(entry.target, vars(owner)[entry.name] in _functions())
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


# Routes
