"""The compiled routes of a router, and the choice among them.

`choose` does what the loop of Starlette's ``Router.app`` does, with the same effects on the scope:
the first route that matches fully, else the first that matches but for its method. It also walks
down into mounts of plain routers, level by level, in the same call.
"""

from __future__ import annotations

import operator
from enum import IntEnum
from types import MethodType
from typing import Any

from starlette._utils import get_route_path
from starlette.convertors import PathConvertor
from starlette.routing import Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import Scope

from turbostar._accelerations import is_known
from turbostar._bytecode import leaves_sending_to_us
from turbostar._endpoint import endpoint_of, is_class_endpoint, request_class_of
from turbostar._matcher import Index, Shape, shape_of
from turbostar._names import Names
from turbostar._patches import (
    can_fuse,
    can_route,
    look_again,
    look_closely,
    sockets_unchanged,
)
from turbostar._watch import RouteList, current_era, watched_setattr

__all__ = [
    "Entry",
    "Kind",
    "Table",
    "choose",
    "is_matched",
    "may_match",
    "names_of",
    "plain_router",
    "table_of",
]

ATTRIBUTE = "_turbostar_table"


class Kind(IntEnum):
    """What is to be done with the route that was chosen."""

    ENDPOINT = 0  # await the endpoint with a request, and send its response
    SESSION = 1  # await the endpoint with a websocket
    CLASS = 2  # await the method of a class endpoint, and send its response
    ASGI = 3  # await the route's app
    HANDLE = 4  # await route.handle(), which is overridden
    NOT_ALLOWED = 5  # await route.handle(), which will answer 405
    MISS = 6  # no route: redirect, or the router's default
    STOCK = 7  # leave the choice to Starlette's Router.app


class Test(IntEnum):
    """How an entry is matched against the path of a request."""

    LITERAL = 0  # the look-up of the path was the match
    SINGLE = 1  # a pattern with one parameter
    REGEX = 2  # any other
    PREFIX = 3  # a mount at a literal path
    MOUNT = 4  # a mount at a path with parameters
    ASKED = 5  # ask route.matches(): a host, or somebody's own


class Entry:
    """A route in a table, with what is needed of it at each request.

    `methods` and `convertors` are the route's own objects, read anew each time, for they may be
    changed in place. Everything else is replaced only by setting an attribute, which ends the era.
    """

    __slots__ = (
        "app",
        "child",
        "convertor",
        "convertors",
        "endpoint",
        "kind",
        "match",
        "methods",
        "not_allowed",
        "parameter",
        "passable",
        "prefix",
        "request_class",
        "route",
        "scope_endpoint",
        "shape",
        "test",
    )

    def __init__(self, route: Any, kind: Kind = Kind.ASGI) -> None:
        self.route = route
        self.kind = kind
        self.test = Test.ASKED
        self.shape: Shape | None = None
        self.match: Any = None
        self.convertors: Any = None
        self.convertor: Any = None
        self.methods: Any = None
        self.not_allowed: Entry | None = None
        self.scope_endpoint: Any = None
        self.parameter = ""
        self.prefix = ""
        self.child: PlainRouter | None = None
        self.app: Any = None
        self.endpoint: Any = None
        self.passable = False  # its response may be passed up, for it sends nothing itself
        self.request_class: Any = None


class Table:
    """The routes of one router in one era."""

    __slots__ = (
        "checks",
        "era",
        "fragile",
        "http",
        "miss",
        "names",
        "reused",
        "snapshot",
        "websocket",
    )

    def __init__(self, router: Router) -> None:
        self.era = current_era()
        self.reused = False
        routes = router.routes
        # A list that is not ours may be changed unseen: it is compared, item by item.
        self.snapshot = None if type(routes) is RouteList else list(routes)
        entries = [entry_of(route) for route in routes]
        classes = {type(entry.route) for entry in entries}
        classes |= {entry.child.cls for entry in entries if entry.child is not None}
        self.checks = tuple(
            (cls, name, getattr(cls, name))
            for cls in classes
            if cls.__module__ not in ("starlette.routing", "turbostar.routing")
            for name in ("matches", "handle", "__call__")
            if hasattr(cls, name)
        )
        self.fragile = bool(self.checks) or self.snapshot is not None
        self.http = _index(entries, WebSocketRoute)
        self.websocket = _index(entries, Route)
        self.miss = Entry(router, Kind.MISS)
        self.names: Names | None = None

    def is_current(self, routes: Any) -> bool:
        """Whether a fragile table says what the router's routes say, unless its era is over.

        Fragile is a table of foreign classes, which may be patched, or of a list that is not ours.
        """
        for cls, name, method in self.checks:
            if getattr(cls, name) is not method:
                return False
        snapshot = self.snapshot
        return snapshot is None or (
            len(routes) == len(snapshot) and all(map(operator.is_, routes, snapshot))
        )


# So deep are mounts walked in one go; a router mounted in itself recurses, as on stock.
MAX_DEPTH = 50

# Members of an enum cost three times a global to look up.
LITERAL, SINGLE, REGEX, PREFIX, MOUNT, ASKED = Test
NONE, _, FULL = Match


def _index(entries: list[Entry], excluded: type) -> Index[Entry]:
    return Index(
        [
            (entry.shape, entry)
            for entry in entries
            if entry.test is Test.ASKED or not isinstance(entry.route, excluded)
        ]
    )


def table_of(router: Router) -> Table | None:
    """The current table of a router, compiled if need be; None where it changes all the time."""
    if not can_route():
        return None
    table: Table | None = router.__dict__.get(ATTRIBUTE)
    if table is not None and not table.era.is_over and table.is_current(router.routes):
        return table
    if table is not None and not table.reused:
        # Changed again before it was of any use: not worth compiling until it rests.
        table.reused = True
        return None
    look_closely()
    table = Table(router)
    router.__dict__[ATTRIBUTE] = table
    return table


class PlainRouter:
    """A router that nothing stands before, as it was when somebody looked.

    Whether it still is, who relies on it compares at each request: `stack` with the router's
    ``middleware_stack``, and `call` with the ``__call__`` of its class.
    """

    __slots__ = ("call", "cls", "router", "stack")

    def __init__(self, router: Router) -> None:
        self.router = router
        self.stack = router.middleware_stack
        self.cls: Any = type(router)
        self.call = self.cls.__call__


def plain_router(app: Any) -> PlainRouter | None:
    """Say whether calling `app` is no more than Starlette's own choice of a route."""
    cls: Any = type(app)
    if not isinstance(app, Router) or cls.__setattr__ is not watched_setattr:
        return None
    stack = getattr(app, "middleware_stack", None)
    if (
        type(stack) is MethodType
        and stack.__self__ is app
        and is_known(stack.__func__, Router, "app")
        and is_known(cls.__call__, Router, "__call__")
    ):
        return PlainRouter(app)
    return None


_BASES = (Route, WebSocketRoute, Mount, Host)


def entry_of(route: Any) -> Entry:
    """Compile one route."""
    cls: Any = type(route)
    base = next((base for base in _BASES if issubclass(cls, base)), None)
    entry = Entry(route)
    # Without our __setattr__ nobody would tell us that an attribute was replaced.
    if base is None or cls.__setattr__ is not watched_setattr:
        entry.kind = Kind.HANDLE
        return entry
    if "handle" in route.__dict__ or not _is_known(cls, base, "handle"):
        entry.kind = Kind.HANDLE
    entry.app = route.app
    if base is Host or "matches" in route.__dict__ or not _is_known(cls, base, "matches"):
        entry.kind = Kind.HANDLE  # Starlette's handle() looks at the method again
        return entry
    entry.match = route.path_regex.match
    entry.convertors = route.param_convertors
    path = route.path + "/{path:path}" if base is Mount else route.path
    parameters = {name: convertor.regex for name, convertor in entry.convertors.items()}
    entry.shape = shape_of(path, route.path_regex, parameters)
    if base is Mount:
        _compile_mount(entry, route)
    else:
        _compile_route(entry, route)
    return entry


def _is_known(cls: Any, base: type, name: str) -> bool:
    """`is_known` of a method, found out once in an era for all the routes of a class."""
    memo = current_era().known
    found = memo.get((cls, name))
    if found is None:
        found = memo[cls, name] = is_known(getattr(cls, name), base, name)
    return found


def _compile_mount(entry: Entry, mount: Mount) -> None:
    entry.test = Test.MOUNT
    entry.scope_endpoint = mount.app
    types = [(name, type(convertor)) for name, convertor in entry.convertors.items()]
    if entry.shape is not None and types == [("path", PathConvertor)]:
        entry.test = Test.PREFIX
        entry.prefix = mount.path + "/"
        entry.convertor = entry.convertors["path"]
    if entry.kind is Kind.ASGI:
        entry.child = plain_router(mount.app)


def _compile_route(entry: Entry, route: Any) -> None:
    literal = entry.shape is not None and entry.shape.literal is not None
    entry.test = Test.LITERAL if literal else Test.REGEX
    if not literal and len(entry.convertors) == 1:
        entry.test = Test.SINGLE
        (entry.parameter,) = entry.convertors
        if route.path_regex.groupindex != {entry.parameter: 1}:
            entry.test = Test.REGEX
    entry.scope_endpoint = route.endpoint
    if isinstance(route, Route):
        entry.methods = route.methods
        overridden = entry.kind is Kind.HANDLE
        entry.not_allowed = Entry(route, Kind.HANDLE if overridden else Kind.NOT_ALLOWED)
    if entry.kind is not Kind.ASGI or not can_fuse():
        return
    found = endpoint_of(route.app)
    if found is not None:
        entry.endpoint, entry.request_class = found
        entry.kind = Kind.ENDPOINT if isinstance(route, Route) else Kind.SESSION
        entry.passable = leaves_sending_to_us(entry.endpoint)
    elif isinstance(route, Route) and is_class_endpoint(route.app):
        entry.kind = Kind.CLASS
        entry.request_class = request_class_of(entry.app)


def choose(router: Any, scope: Scope) -> Any:
    """Choose the route for an HTTP request or a websocket, and update the scope for it.

    Raises whatever a convertor, or somebody's own ``matches``, raises.
    """
    if "router" not in scope:
        scope["router"] = router
    path: Any = None
    depth = 0
    while True:
        try:
            table = router._turbostar_table
        except AttributeError:
            table = None
        if (
            table is None
            or table.era.is_over
            or (table.fragile and not table.is_current(router.routes))
        ):
            table = table_of(router)
            if table is None:
                return Entry(router, Kind.STOCK)
        else:
            table.reused = True
        if path is None:
            path = get_route_path(scope) if scope.get("root_path") else scope["path"]
        if scope["type"] == "http":
            index = table.http
        else:
            index = table.websocket
            if not sockets_unchanged():
                look_again()
                return choose(router, scope)
        candidates = index.static.get(path)
        if candidates is None:
            if "\n" in path:  # a pattern ends in `$`, which also matches before a newline
                return Entry(router, Kind.STOCK)
            candidates = index.dynamic(path)
        partial: Any = None
        partial_scope: Any = None
        for entry in candidates:
            test = entry.test
            if test is LITERAL:
                params: Any = {}
            elif test is SINGLE:
                found = entry.match(path)
                if found is None:
                    continue
                key = entry.parameter
                params = {key: entry.convertors[key].convert(found[1])}
            elif test is PREFIX and entry.convertors.get("path") is entry.convertor:
                if not path.startswith(entry.prefix):
                    continue
                matched = entry.prefix[:-1]
                _enter(scope, entry, {}, matched)
                break
            elif test is ASKED:
                answer, child_scope = entry.route.matches(scope)
                if answer is FULL:
                    scope["route"] = entry.route
                    scope.update(child_scope)
                    return entry
                if answer is not NONE and partial is None:
                    partial, partial_scope = entry, child_scope
                continue
            else:
                found = entry.match(path)
                if found is None:
                    continue
                params = found.groupdict()
                for key in params:
                    params[key] = entry.convertors[key].convert(params[key])
                if test is MOUNT or test is PREFIX:  # whose convertor was replaced in place
                    remaining = "/" + params.pop("path")
                    matched = path[: -len(remaining)]
                    _enter(scope, entry, params, matched)
                    break
            if "path_params" in scope:
                params = {**scope["path_params"], **params}
            methods = entry.methods
            if methods and scope["method"] not in methods:
                if partial is None:
                    partial = entry.not_allowed
                    partial_scope = {"endpoint": entry.scope_endpoint, "path_params": params}
                continue
            scope["route"] = entry.route
            scope["endpoint"] = entry.scope_endpoint
            scope["path_params"] = params
            return entry
        else:
            if partial is None:
                return table.miss
            scope["route"] = partial.route
            scope.update(partial_scope)
            return partial
        # A mount was entered: go on in its router, with what is left of the path.
        depth += 1
        if entry.child is None or depth > MAX_DEPTH:
            return entry
        router = entry.child.router
        # Starlette strips the root path from the whole path anew; where that began without one,
        # or with one that was stripped, the result is this.
        path = path[len(matched) :] if scope["path"].startswith(scope["root_path"] + "/") else None


def _enter(scope: Scope, mount: Entry, params: dict[str, Any], matched: str) -> None:
    """Leave the scope as Starlette does for the application below a mount."""
    root_path = scope.get("root_path", "")
    scope["route"] = mount.route
    scope["path_params"] = {**scope["path_params"], **params} if "path_params" in scope else params
    if "app_root_path" not in scope:
        scope["app_root_path"] = root_path
    scope["root_path"] = root_path + matched
    scope["endpoint"] = mount.scope_endpoint


def names_of(router: Router) -> Names | None:
    """The index of a router's names; None where its routes change all the time."""
    table = table_of(router)
    if table is None:
        return None
    if table.names is None or not table.names.is_current():
        table.names = Names(router.routes)
    return table.names


def may_match(router: Any, path: str) -> bool:
    """Whether there is any candidate for an HTTP path; if not, none need be asked."""
    table = table_of(router)
    return table is None or "\n" in path or bool(table.http.candidates(path))


def is_matched(router: Any, scope: Scope, path: str) -> bool:
    """Whether any route matches an HTTP path, whatever its method; the scope is only read."""
    table = table_of(router)
    if table is None or "\n" in path:
        return any(route.matches(scope)[0] is not NONE for route in router.routes)
    for entry in table.http.candidates(path):
        test = entry.test
        if test is LITERAL:
            return True
        if test is ASKED:
            if entry.route.matches(scope)[0] is not NONE:
                return True
        else:
            found = entry.match(path)
            if found is not None:
                params = found.groupdict()
                for key in params:
                    params[key] = entry.convertors[key].convert(params[key])  # it may raise
                return not isinstance(entry.route, Mount) or params["path"] is not None
    return False
