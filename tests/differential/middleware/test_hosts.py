"""TrustedHostMiddleware and HTTPSRedirectMiddleware."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Visit
from tests.differential import answering
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.kit import kit, subclassed
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.tables import Choices, examples
from tests.differential.world import World

HOSTS = (
    *("a.example", "A.EXAMPLE", "a.example:8000", "a.example:443", "a.example:80", "a.example:"),
    *("www.a.example", "b.example", "x.b.example", "x.y.b.example", ".b.example", "evil.example"),
    *("notb.example", "a.example.evil.example", "", " ", "a.example ", "a b", "a.example/x"),
    *(
        "a.example:x",
        "a.example:99999999",
        "user@a.example",
        "a.example?x",
        "a.example#x",
        "é.example",
    ),
    *("[::1]", "[::1]:8000", "[::1", "[zz]", "[v1.x]", "127.0.0.1", "127.0.0.1:8000", "localhost"),
    *("c.example", "c.example:8080", "example", "a.example\n", "a_b.example", "*", "*.b.example"),
)
ALLOWED: tuple[dict[str, Any], ...] = (
    *({}, {"allowed_hosts": None}, {"allowed_hosts": ["*"]}, {"allowed_hosts": []}),
    {"allowed_hosts": ["a.example", "*.b.example"]},
    {"allowed_hosts": ("A.Example", "www.c.example", "127.0.0.1", "[::1]", "localhost")},
    {"allowed_hosts": ["www.c.example", "www.a.example"], "www_redirect": False},
    {"allowed_hosts": ["www.a.example", "*.a.example", "a.example"]},
    {"allowed_hosts": ["www.www.a.example", "www.a.example"]},
    {"allowed_hosts": ["a.example", "*"]},
)


def visit(*hosts: str, **more: Any) -> Visit:
    """A request with these Host headers."""
    headers = tuple((b"host", host.encode("latin-1", "replace")) for host in hosts)
    return Visit(PATH, host=None, headers=headers, **more)


VISITS = (
    *(visit(host) for host in HOSTS),
    *(visit(), visit("a.example", "evil.example"), visit("evil.example", "a.example")),
    *(visit("c.example", query=b"a=1&b=%20"), visit("c.example:8080", method="POST")),
    *(visit(host, extra=(("scheme", "https"),)) for host in ("c.example", "a.example:443")),
    *(visit("c.example", extra=(("root_path", "/root"), ("path", "/root/x"))),),
    *(visit(host, type="websocket") for host in ("a.example", "evil.example", "c.example")),
    *(visit("evil.example", extra=(("server", None),)), visit(extra=(("server", None),))),
    *(visit(extra=(("server", ("/run/socket", None)),)),),
)
DENIAL = (("extensions", {"websocket.http.response": {}}),)


@pytest.mark.parametrize("number", range(len(ALLOWED)))
def test_trusted_hosts(mode: Mode, number: int) -> None:
    """All forms of the header: allowed, by wildcard, redirected to www, invalid, missing, twice."""
    layer = kit("TrustedHost", **ALLOWED[number])
    visits = (*VISITS, Visit("", type="lifespan"))
    check(mode, Scene(Served(answering.json, (layer,)), visits))
    check(mode, Scene(Served(answering.json, (layer,)), visits[::4]), backend="trio")


def test_patterns_that_are_refused(mode: Mode) -> None:
    """When the application is built, at its first request."""
    for hosts in (["a.*"], ["*a.example"], ["a*"], "*", "a.example", ["*."], [""]):
        layer = kit("TrustedHost", allowed_hosts=hosts)
        check(mode, Scene(Served(answering.json, (layer,)), VISITS[:3]))


SCHEMES = ("http", "https", "ws", "wss", "HTTP", "other", "")


def test_https_redirect(mode: Mode) -> None:
    """By scheme, port, path, query and host; and what is no HTTP."""
    layer = kit("HTTPSRedirect")
    visits = [*VISITS, Visit("", type="lifespan")]
    for scheme in SCHEMES:
        for host in (
            "a.example",
            "a.example:80",
            "a.example:443",
            "a.example:8080",
            "[::1]:80",
            "",
        ):
            more = (("scheme", scheme),)
            visits.append(visit(host, extra=more, query=b"a=%20"))
            visits.append(visit(host, extra=(*more, *DENIAL), type="websocket"))
    visits.append(visit("a.example", without=("scheme",)))
    for path in ("/é", "/a b", "/%20", "//x", "/x;y", "*", ""):
        visits.append(Visit(path, extra=(("raw_path", None),)))
    visits.append(Visit(PATH, host=None, extra=(("server", ("127.0.0.1", 8000)),)))
    visits.append(Visit(PATH, host=None, extra=(("server", ("127.0.0.1", 80)),)))
    visits.append(Visit(PATH, host=None, without=("server",)))
    check(mode, Scene(Served(answering.json, (layer,)), tuple(visits)))
    check(mode, Scene(Served(answering.json, (layer,), "raw"), tuple(visits)))


@pytest.mark.parametrize("place", PLACES)
def test_places(mode: Mode, place: str) -> None:
    """Both, above and below others, and one within the other."""
    trusted, redirect = kit("TrustedHost", **ALLOWED[5]), kit("HTTPSRedirect")
    stacks: tuple[tuple[Part, ...], ...] = (
        *((trusted, redirect), (redirect, trusted), (dispatches.header, trusted)),
        *((trusted, dispatches.header, layers.sends), (layers.copies, redirect, layers.both)),
    )
    for stack in stacks:
        check(mode, Scene(Served(answering.json, stack, place), VISITS[::5]))
    for half in HALVES:
        check(half, Scene(Served(answering.json, stacks[0], place), VISITS[::7]))


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell(who, "own call")
            await super().__call__(scope, receive, send)

    return Own


def own_hosts(base: Any, world: World, who: str) -> Any:
    class Own(base):
        @property
        def allowed_hosts(self) -> Any:
            return ["evil.example"]

        @allowed_hosts.setter
        def allowed_hosts(self, value: Any) -> None:
            world.tell(who, value)

    return Own


def _set(**attributes: Any) -> Any:
    def change(world: World) -> None:
        for name, value in attributes.items():
            setattr(stack_of(world), name, value)

    return change


def _more(world: World) -> None:
    stack_of(world).allowed_hosts.append("evil.example")


def test_subclasses_and_changes(mode: Mode) -> None:
    """Its attributes are asked for at each request."""
    for derive in (own_call, own_hosts):
        layer = subclassed("TrustedHost", derive, **ALLOWED[4])
        check(mode, Scene(Served(answering.json, (layer,)), VISITS[::2]))
    check(
        mode, Scene(Served(answering.json, (subclassed("HTTPSRedirect", own_call),)), VISITS[::3])
    )
    few = VISITS[::4]
    for change in (
        *(_more, _set(allow_any=True), _set(allowed_hosts=["*"]), _set(www_redirect=False)),
        *(_set(allowed_hosts=("www.a.example", "*.example")), _set(allow_any="", www_redirect=1)),
    ):
        layer = kit("TrustedHost", **ALLOWED[5])
        check(mode, Scene(Served(answering.json, (layer,)), (*few, change, *few)))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    letters = ("a", "b", "example", ".", ".", ":", "8", "[", "]", "-", "*", "www.", "é", "@", "%41")

    def text() -> str:
        return "".join(choose.some(letters, 0, 5))

    allowed = [text().replace("*", "") or "x" for _ in range(choose.number(1, 3))]
    allowed = [f"*.{host}" if choose.seldom(3) else host for host in allowed]
    known = [*allowed, *HOSTS]
    hosts = [choose.of(known) if choose.seldom(2) else text() for _ in range(5)]
    trusted = kit("TrustedHost", allowed_hosts=allowed, www_redirect=not choose.seldom(3))
    stack: tuple[Part, ...] = (trusted,) if choose.seldom(2) else (kit("HTTPSRedirect"),)
    extra = (("scheme", choose.of(SCHEMES)),)
    visits = tuple(visit(host.removeprefix("www."), extra=extra) for host in hosts)
    return Scene(Served(answering.json, stack), visits)


@given(scene=scenes())
@examples(1 / 2)
def test_hosts_of_any_kind(mode: Mode, scene: Any) -> None:
    """Patterns and headers that are not thought of by hand."""
    check(mode, scene)
