"""Finding one's way in an application: its layers, its routes with their full paths, their names.

For those who look at an application and do not serve it: any ASGI application will do, FastAPI's
and third parties' included.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

__all__ = [
    "Place",
    "app_of",
    "application_of",
    "author_of",
    "chain_to",
    "describe",
    "name_of",
    "package_not_owned",
    "walk",
]


class Place(NamedTuple):
    """A route where it stands in an application.

    Attributes:
        route: the route itself; for FastAPI's included ones, what FastAPI tells of it.
        path: with those of the mounts and hosts above it.
        name: as ``url_for`` takes it, such as ``mount:route``; empty if it has none.
        kind: "HTTP", "WebSocket", "Mount", "Host", or the name of another class.
        methods: None if it takes any.
        endpoint: as ``module:name``; of a mount or host, its app.
        depth: how many mounts and hosts are above it.
        router: the object whose ``routes`` it is in.
    """

    route: Any
    path: str
    name: str
    kind: str
    methods: tuple[str, ...] | None
    endpoint: str
    depth: int
    router: Any


_KINDS = {Route: "HTTP", WebSocketRoute: "WebSocket", Mount: "Mount", Host: "Host"}


def walk(
    router: Any,
    *,
    path: str = "",
    name: str | None = None,
    above: tuple[Any, ...] = (),
) -> Iterator[Place]:
    """Yield the routes of a router or application in their order, each before those below it."""
    if any(router is other for other in above):
        return  # mounted within itself
    above = (*above, router)
    holder = router.router if isinstance(router, Starlette) else router
    for route in _effective(getattr(router, "routes", None) or ()):
        own = getattr(route, "name", None)
        full = f"{name}:{own}" if name is not None and own else own or ""
        kind = _kind_of(route)
        app = app_of(route) if kind in ("Mount", "Host") else None
        full_path = path + str(getattr(route, "host" if kind == "Host" else "path", None) or "")
        yield Place(
            route=route,
            path=full_path or "/",
            name=full,
            kind=kind,
            methods=_methods(route),
            endpoint=describe(app or getattr(route, "endpoint", None) or route),
            depth=len(above) - 1,
            router=holder,
        )
        if app is not None:
            below = name if own is None else full
            yield from walk(_with_routes(app), path=full_path, name=below, above=above)


def _effective(routes: Iterable[Any]) -> Iterable[Any]:
    # FastAPI keeps the routes of an included router apart, and tells of them by this function.
    fastapi = sys.modules.get("fastapi.routing")
    listed = getattr(fastapi, "iter_route_contexts", None)
    if listed is not None and any(type(route).__module__ == "fastapi.routing" for route in routes):
        own = {id(route) for route in routes}
        return [
            found.original_route if id(found.original_route) in own else found
            for found in listed(routes)
        ]
    return routes


def _kind_of(route: Any) -> str:
    original = getattr(route, "original_route", route)
    for base, kind in _KINDS.items():
        if isinstance(original, base):
            return kind
    return "HTTP" if getattr(route, "methods", None) else type(original).__name__


def _methods(route: Any) -> tuple[str, ...] | None:
    methods = getattr(route, "methods", None)
    return tuple(sorted(methods)) if methods else None


def app_of(mount: Any) -> Any:
    """The app of a mount or host, without the mount's own middleware."""
    return getattr(mount, "_base_app", None) or mount.app


def _with_routes(app: Any) -> Any:
    return app if hasattr(app, "routes") else application_of(app)


def application_of(app: Any) -> Any:
    """Return the Starlette application, or else the router, that `app` is or wraps; or None."""
    for wanted in (Starlette, Router):
        chain = chain_to(app, functools.partial(_is_a, wanted))
        if chain:
            return chain[-1]
    return None


def _is_a(wanted: type, found: Any) -> bool:
    return isinstance(found, wanted)


def chain_to(app: Any, is_found: Callable[[Any], bool]) -> list[Any]:
    """Return the ASGI apps from `app` to the one that is looked for, each called by the one before.

    What an app calls is what it keeps in its attributes or closure, in ``app`` rather than in
    others. Empty if nothing was found.
    """
    return _chain(app, is_found, set())


def _chain(app: Any, is_found: Callable[[Any], bool], seen: set[int]) -> list[Any]:
    if is_found(app):
        return [app]
    if id(app) in seen or not callable(app) or isinstance(app, type) or len(seen) > 1_000:
        return []
    seen.add(id(app))
    for inner in _kept_by(app):
        below = _chain(inner, is_found, seen)
        if below:
            return below if isinstance(app, MethodType) else [app, *below]
    return []


def _kept_by(app: Any) -> Iterator[Any]:
    if isinstance(app, MethodType):
        yield app.__self__
    elif isinstance(app, functools.partial):
        yield from (app.func, *app.args, *app.keywords.values())
    elif isinstance(app, FunctionType):
        for cell in app.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue  # not assigned yet
    else:
        kept = getattr(app, "__dict__", {})
        yield from (kept[name] for name in ("app", *kept) if name in kept)


def describe(value: Any) -> str:
    """Return a function's or class's ``module:name``; of any other object, its class's."""
    while isinstance(value, functools.partial):
        value = value.func
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}:{named.__qualname__}"


def package_not_owned(module: str, own: Collection[str]) -> str | None:
    """The package that a module belongs to, if it was installed and is not the application's.

    Args:
        module: the name of a module that is loaded.
        own: packages that belong to the application, wherever they are.
    """
    package = module.partition(".")[0]
    if not package or package in own or package in ("starlette", "turbostar"):
        return None
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    paths = sysconfig.get_paths()
    installed = (paths["purelib"], paths["platlib"], paths["stdlib"])
    return package if file.startswith(installed) else None


def name_of(value: Any) -> str:
    """Return the name alone."""
    path = describe(value).partition(":")[2]
    return path.rpartition(".<locals>.")[2]


def author_of(function: Any) -> str:
    """Return the module whose code runs; a wrapper's attributes name what it wraps."""
    function = getattr(function, "_self_wrapper", function)  # wrapt's
    if type(function) is FunctionType:
        return str(function.__globals__.get("__name__", function.__module__))
    return type(function).__module__
