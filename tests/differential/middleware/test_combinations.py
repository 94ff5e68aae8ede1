"""All middleware of Starlette's, in any order and place, under any requests."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, strategies as st
from starlette.exceptions import HTTPException

from tests.asgi import Visit
from tests.differential import answering, failing
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, handlers, kit, streaming
from tests.differential.middleware.bodies import BEFORE, READS
from tests.differential.middleware.dispatches import PASSING
from tests.differential.middleware.forms import FORMS, by
from tests.differential.middleware.kit import kit as layer_of
from tests.differential.middleware.layers import GENTLE
from tests.differential.middleware.test_authentication import LAYERS as AUTHENTICATION, tells_user
from tests.differential.middleware.test_cors import OPTIONS as CORS
from tests.differential.middleware.test_gzip import KINDS, OPTIONS as GZIP, SENT
from tests.differential.middleware.test_hosts import ALLOWED
from tests.differential.middleware.test_sessions import KEY, cookie, signed, works
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.tables import Choices, examples

STARLETTES: tuple[Part, ...] = (
    *(layer_of("CORS", **options) for options in CORS.values()),
    *(layer_of("GZip", **options) for options in GZIP),
    *(layer_of("TrustedHost", **options) for options in ALLOWED[2:]),
    *(layer_of("RequestBodyLimit", max_body_size=size) for size in (3, 1000)),
    *(layer_of("Session", secret_key=KEY, session_cookie=name) for name in ("session", "other")),
    *(*AUTHENTICATION[:2], layer_of("HTTPSRedirect")),
)
BELOW = (
    *(answering.plain, answering.json, answering.cookies, answering.background, answering.long),
    *(*kit.VARIES, *KINDS[:4], SENT[2], READS[0], READS[2], tells_user, failing.http, failing.boom),
    *(failing.with_context, failing.background_boom, streaming.one, streaming.many),
    *(works(name) for name in ("set", "read", "cleared", "untouched")),
)
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("origin", ("https://a.example", "https://evil.example", "null")),
    ("accept-encoding", ("gzip", "br, gzip", "identity")),
    ("access-control-request-method", ("GET", "POST", "BREW")),
    ("access-control-request-headers", ("X-One", "x-evil")),
    ("x-who", ("alice", "error", "boom", "pauses")),
    ("content-length", ("4", "3", "x")),
    ("accept", ("text/html",)),
    ("range", ("bytes=0-3",)),
)
HOSTS = ("a.example", "evil.example", "a.example:443", "x.b.example", "c.example", "", None)
CAUGHT = (HTTPException, Boom, 404, 413, 500)


def some_layer(choose: Choices) -> Part:
    kind = choose.number(0, 9)
    if kind < 6:
        return choose.of(STARLETTES)
    if kind < 8:
        part = choose.of((*PASSING, *BEFORE[:4], dispatches.drops, dispatches.answers))
        return by(part, choose.of(tuple(FORMS))) if choose.seldom(4) else part
    return choose.of(GENTLE)


def visit(choose: Choices) -> Visit:
    headers = [
        (name.encode(), choose.of(values).encode()) for name, values in HEADERS if choose.seldom(3)
    ]
    if choose.seldom(2):
        headers.append((b"cookie", f"session={cookie({'a': 1})}".encode()))
    return Visit(
        choose.rarely(("/none", PATH + "/"), PATH),
        choose.of(("GET", "GET", "POST", "OPTIONS", "HEAD", "PUT")),
        type=choose.rarely(("websocket",), "http", 16),
        host=choose.of(HOSTS) if choose.seldom(3) else "a.example",
        headers=tuple(headers),
        query=choose.of((b"", b"", b"a=1", b"short", b"late")),
        body=choose.of(((b"",), (b"1234",), (b"12", b"34"), (b"123",), ())),
        extra=(("scheme", "https"),) if choose.seldom(2) else (),
        leaves=choose.seldom(8),
        fails=choose.rarely((0, 1), None, 16),
        spec="2.4",  # before, when a stream hears of its client's leaving is not certain
        slow=choose.seldom(4),
        stuck=True,
    )


@st.composite
def combinations(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    stack = tuple(some_layer(choose) for _ in range(choose.number(1, 5)))
    within = tuple(some_layer(choose) for _ in range(choose.number(0, 1)))
    handled = {choose.of(CAUGHT): choose.of(handlers.HANDLERS) for _ in range(choose.number(0, 1))}
    served = Served(
        choose.of(BELOW),
        stack,
        choose.of(tuple(PLACES)),
        within,
        tuple(handled.items()),
        limits=(choose.rarely((3, 100), None), choose.rarely((3, 100), None)),
    )
    visits = tuple(visit(choose) for _ in range(choose.number(1, 3)))
    # How far a stream is ahead of whoever stops reading it is not certain, nor whether a message
    # that a dispatch has sent by itself is at the client before it goes on.
    sends = any(repr(part).startswith("sends_itself") for part in (*stack, *within))
    lanes = served.has_threads or sends
    return Scene(served, visits, lanes=lanes, unheard=("stream",), reduce=signed)


@given(scene=combinations())
def test_any_combination(mode: Mode, scene: Any) -> None:
    """Two to five layers, any endpoint, any place, any headers."""
    check(mode, scene)


@given(scene=combinations(), half=st.sampled_from(HALVES))
@examples(1 / 4)
def test_any_combination_half_migrated(scene: Any, half: Any) -> None:
    """Starlette's middleware in our application, and the reverse."""
    check(half, scene)


@given(scene=combinations())
@examples(1 / 8)
def test_any_combination_on_trio(mode: Mode, scene: Any) -> None:
    """The same on trio, without what is cancelled at a time that is not certain."""
    steps = tuple(Visit(**{**vars(step), "fails": None}) for step in scene.steps)
    check(mode, dataclasses.replace(scene, steps=steps), backend="trio")
