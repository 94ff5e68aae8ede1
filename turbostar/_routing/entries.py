"""Routes as a router's table has them: what they match, and what is to be done with them."""

from __future__ import annotations

from enum import IntEnum
from types import MethodType
from typing import Any

from starlette.convertors import PathConvertor
from starlette.requests import Request
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from turbostar._guard.classes import computes, method_of
from turbostar._guard.patches import can_fuse
from turbostar._guard.sources import is_known
from turbostar._routing.endpoints import DISPATCHING, endpoint_of, is_class_endpoint, maker_of
from turbostar._routing.index import Shape, shape_of
from turbostar._routing.watched import watched_setattr

__all__ = [
    "COMPUTED",
    "OWN_MODULES",
    "Entry",
    "Kind",
    "Memo",
    "PlainRouter",
    "Test",
    "entry_of",
    "plain_router",
]

#: Whose classes are looked after elsewhere; what is of another module is foreign.
OWN_MODULES = ("starlette.routing", "turbostar.routing")


#: What is read of a router oftener than on Starlette, which would show if it were computed.
COMPUTED = frozenset(
    {"default", "middleware_stack", "redirect_slashes", "routes", "__getattribute__"}
)


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

    `endpoint` is a function or, of a class, the methods by which it dispatches.
    `methods` and `convertors` are the route's own objects, read anew each time, for they may be
    changed in place. Everything else is replaced only by setting an attribute, which is noticed.
    """

    __slots__ = (
        "app",
        "child",
        "convertor",
        "convertors",
        "endpoint",
        "kind",
        "make_request",
        "match",
        "methods",
        "not_allowed",
        "parameter",
        "prefix",
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
        self.make_request: Any = None


class PlainRouter:
    """A router that nothing stands before, as it was when somebody looked.

    Whether it still is, who relies on it compares at each request: `stack` with the router's
    ``middleware_stack``, `cls` with its class and, if `is_foreign`, what `is_called_as_ever`.
    """

    __slots__ = ("_call", "cls", "is_foreign", "router", "stack")

    def __init__(self, router: Router) -> None:
        self.router = router
        self.stack = router.middleware_stack
        self.cls = type(router)
        self.is_foreign = self.cls.__module__ not in OWN_MODULES
        self._call = method_of(self.cls, "__call__")

    def is_called_as_ever(self) -> bool:
        """Whether nobody has replaced ``__call__`` in the router's class, which may be foreign."""
        return method_of(self.cls, "__call__") is self._call


def plain_router(app: Any) -> PlainRouter | None:
    """Say whether calling `app` is no more than Starlette's own choice of a route."""
    cls: Any = type(app)
    if (
        not isinstance(app, Router)
        or cls.__setattr__ is not watched_setattr
        or computes(cls, Router, COMPUTED)
    ):
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
#: What is read of a route once, when it is compiled.
_READ = frozenset(
    {"app", "endpoint", "methods", "name", "param_convertors", "path", "path_format", "path_regex"}
    | {"routes", "__getattribute__", "__getattr__", "__dict__"}
)


class Memo:
    """What was found out about classes while one table is compiled."""

    def __init__(self) -> None:
        self._known: dict[Any, bool] = {}
        self._bases: dict[Any, Any] = {}

    def is_known(self, cls: Any, base: type, name: str) -> bool:
        """`is_known` of a method, for all the routes of a class."""
        found = self._known.get((cls, name))
        if found is None:
            found = self._known[cls, name] = is_known(getattr(cls, name), base, name)
        return found

    def base_of(self, cls: Any) -> Any:
        """The class of Starlette's that routes of a class can be read like; None if there is none.

        They cannot if nobody would tell us that an attribute was replaced, or if what is read of
        them may be another thing each time.
        """
        if cls not in self._bases:
            base = next((base for base in _BASES if issubclass(cls, base)), None)
            if base is not None and (
                cls.__setattr__ is not watched_setattr or computes(cls, base, _READ)
            ):
                base = None
            self._bases[cls] = base
        return self._bases[cls]


def entry_of(route: Any, memo: Memo | None = None) -> Entry:
    """Compile one route; whatever cannot be compiled is asked as Starlette asks it."""
    memo = memo or Memo()
    base = memo.base_of(type(route))
    if base is not None:
        try:
            return _compiled(route, base, memo)
        except (AttributeError, TypeError, ValueError):
            pass  # unusual, such as one whose __init__ was not called: it is asked
    return Entry(route, Kind.HANDLE)


def _compiled(route: Any, base: type, memo: Memo) -> Entry:
    cls = type(route)
    entry = Entry(route)
    if "handle" in route.__dict__ or not memo.is_known(cls, base, "handle"):
        entry.kind = Kind.HANDLE
    entry.app = route.app
    if base is Host or "matches" in route.__dict__ or not memo.is_known(cls, base, "matches"):
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


def _compile_mount(entry: Entry, mount: Mount) -> None:
    entry.test = Test.MOUNT
    entry.scope_endpoint = mount.app
    types = [(name, type(convertor)) for name, convertor in entry.convertors.items()]
    is_usual = types == [("path", PathConvertor)] and entry.convertors["path"].regex == ".*"
    if entry.shape is not None and is_usual:
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
        entry.endpoint, request_class = found
        entry.make_request = maker_of(request_class)
        entry.kind = Kind.ENDPOINT if isinstance(route, Route) else Kind.SESSION
    elif isinstance(route, Route) and is_class_endpoint(route.app):
        entry.kind = Kind.CLASS
        entry.endpoint = tuple(getattr(route.app, name) for name in DISPATCHING)
        entry.make_request = maker_of(getattr(route.app, "_turbostar_request", Request))
