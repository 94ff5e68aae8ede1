"""What of an application is on the fast path, and of the rest, why not and what to change.

Nothing here is asked while requests are served. What is true is asked of the modules that serve
(`entry_of`, `plain_router`, `Core`, `Plan`); here and in the modules beside it is put into words.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Router

from turbostar._accelerations import BYPASSED, TABLE, Acceleration, is_stock, objection
from turbostar._entry import entry_of
from turbostar._explain_routes import OFF, RouteReport, explain_route, replaced_functions
from turbostar._explain_stack import Layer, explain_stack, is_swapped
from turbostar._install import installed
from turbostar._patches import look_again
from turbostar._switch import DISABLED
from turbostar._walk import application_of, author_of, walk

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
class Report:
    """All there is to tell of an application.

    Attributes:
        mode: "installed", "swapped" imports, or "stock".
        stack: how much of the stack is one coroutine, and how many tasks there are.
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
    routers = [*_fused_routers(application.router)] if stack.passes_up else []
    return Report(
        mode=_mode(app),
        stack=stack.summary,
        standings=tuple(_standing(entry) for entry in TABLE),
        patches=tuple(_patches()),
        layers=stack.layers,
        routes=tuple(
            explain_route(place, any(place.router is router for router in routers))
            for place in walk(application)
        ),
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


# Routes


def _fused_routers(router: Router) -> Iterator[Router]:
    """Yield the routers that a request is walked down in one go, from the outermost on."""
    seen, waiting = set(), [router]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        for route in found.routes:
            child = entry_of(route).child
            if child is not None:
                waiting.append(child.router)
