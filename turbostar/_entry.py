"""Routes as a router's table has them: what they match, and what is to be done with them."""

from __future__ import annotations

from enum import IntEnum
from types import MethodType
from typing import Any

from starlette.convertors import PathConvertor
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from turbostar._accelerations import is_known
from turbostar._bytecode import leaves_sending_to_us
from turbostar._endpoint import endpoint_of, is_class_endpoint, request_class_of
from turbostar._matcher import Shape, shape_of
from turbostar._patches import can_fuse
from turbostar._watch import current_era, watched_setattr

__all__ = ["Entry", "Kind", "PlainRouter", "Test", "entry_of", "plain_router"]


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
