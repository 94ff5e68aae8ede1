"""CORSMiddleware: simple requests, preflights, and what subclasses and users change in it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.asgi import Visit
from tests.differential import answering, failing, raw
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.kit import VARIES, h, kit, no_vary, odd_headers, subclassed
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served
from tests.differential.world import World

ALLOWED = ["https://a.example", "https://b.example"]
OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "origins": {"allow_origins": ALLOWED},
    "all": {"allow_origins": ["*"]},
    "all, credentials": {"allow_origins": ["*"], "allow_credentials": True},
    "origins, credentials": {"allow_origins": ALLOWED, "allow_credentials": True},
    "regex": {"allow_origin_regex": r"https://.*\.c\.example"},
    "regex and origins": {"allow_origins": ALLOWED, "allow_origin_regex": "null|https://C.*"},
    "everything": {
        "allow_origins": ["*"],
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        "allow_credentials": True,
        "allow_private_network": True,
        "expose_headers": ["X-One", "X-Two"],
        "max_age": 0,
    },
    "some": {
        "allow_origins": {"https://a.example"},
        "allow_methods": ("POST", "BREW"),
        "allow_headers": ("X-One", "x-two", "Accept"),
        "expose_headers": ("X-One",),
        "max_age": 5,
    },
    "all, any header": {"allow_origins": ["*"], "allow_headers": ["*"], "allow_methods": []},
    "a string": {"allow_origins": "https://a.example", "allow_methods": "GET, POST"},
}
ORIGINS = (
    *(None, "https://a.example", "https://evil.example", "https://sub.c.example", "null", ""),
    *("HTTPS://A.EXAMPLE", "https://a.example, https://b.example", "https://é.example"),
)
METHODS = (None, "GET", "POST", "BREW", "get", "", "QUERY")
REQUESTED = (None, "X-One", "x-one, X-Two", "X-Evil", "accept,X-One , content-type", "", "X-One,,")


def simple(origin: str | None, **more: Any) -> Visit:
    return Visit(PATH, headers=h(origin=origin) if origin is not None else (), **more)


def preflights(origins: Any = ORIGINS[:4]) -> tuple[Visit, ...]:
    found = []
    for origin, method, requested in itertools.product(origins, METHODS, REQUESTED):
        network = "true" if len(found) % 3 == 0 else None
        pairs = (
            ("origin", origin),
            ("access_control_request_method", method),
            ("access_control_request_headers", requested),
            ("access_control_request_private_network", network),
        )
        headers = h(**{name: value for name, value in pairs if value is not None})
        found.append(Visit(PATH, "OPTIONS", headers=headers))
    return tuple(found)


SIMPLE = (
    *map(simple, ORIGINS),
    *(simple(ORIGINS[1], method=method) for method in ("OPTIONS", "HEAD", "POST", "PUT")),
    Visit("/none", headers=h(origin="https://a.example")),
    Visit(PATH, headers=h(origin="https://a.example") + h(origin="https://evil.example")),
    Visit(PATH, "OPTIONS", headers=h(access_control_request_method="GET")),
    Visit(PATH, type="websocket", headers=h(origin="https://a.example")),
)


@pytest.mark.parametrize("name", OPTIONS)
def test_simple_requests(mode: Mode, name: str) -> None:
    """Allowed, denied, without an origin; over all kinds of answers and their Vary headers."""
    cors = kit("CORS", **OPTIONS[name])
    below = (
        *(*VARIES, odd_headers, raw.bare, raw.tuples, answering.starts_twice),
        *(failing.http, failing.boom, failing.after_body, streaming.one, answering.in_thread),
    )
    scenes = [Scene(Served(e, (cors,)), SIMPLE[:4]) for e in below]
    check(mode, *scenes, Scene(Served(no_vary, (cors,)), SIMPLE))


@pytest.mark.parametrize("name", OPTIONS)
def test_preflights(mode: Mode, name: str) -> None:
    """Each combination of origin, method, headers and private network."""
    cors = kit("CORS", **OPTIONS[name])
    few = ORIGINS[1:3] if name not in ("regex", "regex and origins") else ORIGINS[3:5]
    check(mode, Scene(Served(no_vary, (cors,)), preflights(few)))


def own_preflight(base: Any, world: World, who: str) -> Any:
    class Own(base):
        def preflight_response(self, request_headers: Any) -> Any:
            response = super().preflight_response(request_headers)
            world.tell(who, "preflight", response.status_code, request_headers.get("origin"))
            response.headers["x-own"] = "1"
            return response

    return Own


def own_simple(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def simple_response(
            self, scope: Any, receive: Any, send: Any, request_headers: Any
        ) -> None:
            world.tell(who, "simple", dict(request_headers))
            await super().simple_response(scope, receive, send, request_headers=request_headers)

    return Own


def own_send(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def send(self, message: Any, send: Any, request_headers: Any) -> None:
            world.tell(who, "sends", message["type"], request_headers.get("Origin"))
            await super().send(message, send, request_headers)

    return Own


def own_origins(base: Any, world: World, who: str) -> Any:
    class Own(base):
        def is_allowed_origin(self, origin: str) -> bool:
            world.tell(who, "asked of", origin)
            return origin.endswith("evil.example")

    return Own


def own_explicit(base: Any, world: World, who: str) -> Any:
    class Own(base):
        @staticmethod
        def allow_explicit_origin(headers: Any, origin: str) -> None:
            world.tell(who, "allows", origin)
            headers["X-Allows"] = origin

    return Own


def own_class_attribute(base: Any, world: World, who: str) -> Any:
    class Own(base):
        @property
        def simple_headers(self) -> Any:
            return {"X-Computed": "1"}

        @simple_headers.setter
        def simple_headers(self, value: Any) -> None:
            world.tell(who, value)

    return Own


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope.get("path") == "/none":
                await self.app(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)

    return Own


DERIVED = (
    *(own_preflight, own_simple, own_send, own_origins, own_explicit, own_class_attribute),
    own_call,
)


@pytest.mark.parametrize("derive", DERIVED, ids=lambda derive: derive.__name__)
def test_subclasses(mode: Mode, derive: Any) -> None:
    """Each method that a subclass may override has its say."""
    for name in ("origins", "all", "all, credentials", "everything"):
        cors = subclassed("CORS", derive, **OPTIONS[name])
        visits = (*SIMPLE, *preflights(ORIGINS[1:3])[::5])
        check(mode, Scene(Served(no_vary, (cors,)), visits))


def _set(**attributes: Any) -> Any:
    def change(world: World) -> None:
        for name, value in attributes.items():
            setattr(stack_of(world), name, value)

    return change


def _more_simple_headers(world: World) -> None:
    stack_of(world).simple_headers["X-More"] = "1"


def _more_preflight_headers(world: World) -> None:
    stack_of(world).preflight_headers["X-More"] = "1"
    stack_of(world).preflight_headers.pop("Vary")


def _more_origins(world: World) -> None:
    stack_of(world).allow_origins.append("https://evil.example")


def _more_headers(world: World) -> None:
    stack_of(world).allow_headers.append("x-evil")
    stack_of(world).allow_methods = ["BREW"]


CHANGES = (
    *(_more_simple_headers, _more_preflight_headers, _more_origins, _more_headers),
    _set(allow_all_origins=True),
    _set(allow_credentials=True),
    _set(allow_all_origins=True, allow_credentials=True),
    _set(preflight_explicit_allow_origin=False),
    _set(allow_all_headers=True, allow_private_network=True),
    _set(simple_headers={"X-Other": "1"}, preflight_headers={}),
    _set(allow_origin_regex=None, allow_origins=()),
    _set(is_allowed_origin=lambda origin: True),
    _set(send=None),
)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_what_is_changed_while_it_serves(mode: Mode, number: int) -> None:
    """All that is computed when it is made is asked for at each request."""
    few = (*SIMPLE[:6], *preflights(ORIGINS[1:3])[::9])
    for name in ("origins", "everything", "regex and origins"):
        options = dict(OPTIONS[name], allow_origins=[*OPTIONS[name].get("allow_origins", ())])
        steps = (*few, CHANGES[number], *few)

        def build(world: World, options: Any = options) -> Any:
            own = {**options, "allow_origins": list(options["allow_origins"])}
            app = world.ns.Starlette(routes=[world.ns.Route(PATH, no_vary(world, "endpoint"))])
            app.add_middleware(world.ns.CORSMiddleware, **own)
            return app

        check(mode, Scene(Served(build=build), steps))


def test_among_others(mode: Mode) -> None:
    """Above, below and around other middleware; twice; and in other places."""
    cors, other = kit("CORS", **OPTIONS["origins"]), kit("CORS", **OPTIONS["all, credentials"])
    stacks: tuple[tuple[Part, ...], ...] = (
        *((cors, dispatches.header), (dispatches.header, cors), (cors, other), (other, cors)),
        *((layers.both, cors, layers.sends), (dispatches.swallows, cors, dispatches.answers)),
        (cors, dispatches.changes, layers.marks),
    )
    visits = (*SIMPLE[:4], *SIMPLE[-5:], *preflights(ORIGINS[1:3])[::19])
    for stack in stacks:
        for place in ("app", "route", "mounted app", "around", "raw"):
            check(mode, Scene(Served(VARIES[2], stack, place), visits))
        check(mode, Scene(Served(failing.boom, stack, debug=True), visits))
    for half in HALVES:
        check(half, Scene(Served(VARIES[2], stacks[0]), visits))
    check(mode, Scene(Served(VARIES[2], stacks[4]), visits), backend="trio")
