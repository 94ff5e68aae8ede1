"""SessionMiddleware: what becomes of the session, and of its cookie."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

import itsdangerous
import pytest
from hypothesis import given, strategies as st
from starlette.datastructures import Secret

from tests.asgi import Visit
from tests.differential import failing, raw
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.kit import h, kit, subclassed, tells_scope, two_varies
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.observed import Outcome
from tests.differential.part import Part, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served
from tests.differential.tables import Choices, examples
from tests.differential.world import World

KEY = "the key of the tests"
SIGNED = re.compile(r"\b(session|other)=([A-Za-z0-9_=.-]+\.[A-Za-z0-9_=.-]+)")


class AgedSigner(itsdangerous.TimestampSigner):
    """Signs as if it were some seconds ago."""

    age = 0

    def get_timestamp(self) -> int:
        return int(time.time()) - self.age


def cookie(content: Any, age: int = 0, key: str = KEY) -> str:
    signer = AgedSigner(key)
    signer.age = age
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return signer.sign(base64.b64encode(data)).decode()


def unsigned(found: re.Match[str]) -> str:
    """What a cookie says, if it was signed with the key within the last minutes."""
    signer = itsdangerous.TimestampSigner(KEY)
    data = signer.unsign(found.group(2), max_age=300)
    return f"{found.group(1)}={base64.b64decode(data)!r}"


def signed(outcome: Outcome) -> Outcome:
    """The outcome without the times and signatures in its cookies."""
    if "messages" not in outcome:
        return outcome
    outcome = dict(outcome)
    for message in (messages := [dict(message) for message in outcome["messages"]]):
        if "headers" in message:
            message["headers"] = SIGNED.sub(unsigned, repr(message["headers"]))
    # Layers may have seen the headers.
    log = [tuple(SIGNED.sub(unsigned, repr(part)) for part in entry) for entry in outcome["log"]]
    return {**outcome, "messages": messages, "log": log}


Work = Callable[[dict[str, Any]], Any]
WORKS: dict[str, Work | None] = {
    "untouched": None,
    "read": lambda session: session.get("a"),
    "missing": lambda session: session.get("none"),
    "has": lambda session: "a" in session,
    "iterated": lambda session: list(session.items()),
    "set": lambda session: session.__setitem__("b", "é"),
    "set same": lambda session: session.__setitem__("a", 1),
    "nested": lambda session: session.setdefault("list", []).append(1),
    "setdefault": lambda session: session.setdefault("a", 2),
    "updated": lambda session: session.update({"c": [1, None], "d": {"e": 1.5}}),
    "updated by nothing": lambda session: session.update(),
    "merged": lambda session: session.__ior__({"f": True}),
    "cleared": lambda session: session.clear(),
    "popped": lambda session: session.pop("a", None),
    "popped missing": lambda session: session.pop("none", None),
    "popitem": lambda session: session and session.popitem(),
    "deleted": lambda session: session.__delitem__("a"),
    "set and deleted": lambda session: (session.__setitem__("x", 1), session.__delitem__("x")),
    "set and cleared": lambda session: (session.__setitem__("x", 1), session.clear()),
    "not to be encoded": lambda session: session.__setitem__("x", object()),
    "not a number": lambda session: session.__setitem__("x", float("nan")),
    "of its own": lambda session: session.__setitem__(1, "one"),
}


def works(name: str, late: bool = False) -> Part:
    """An endpoint that does something to its session: before its answer, or amid it."""
    work = WORKS[name]

    async def answer(world: World, request: Any) -> Any:
        async def content() -> Any:
            yield b"begun"
            if work is not None:
                world.tell("endpoint", work(request.session))

        if late:
            return world.ns.StreamingResponse(content())
        if work is not None:
            world.tell("endpoint", work(request.session))
        world.tell("endpoint", sorted(request.scope["session"], key=str))
        return world.ns.PlainTextResponse("worked")

    answer.__name__ = name.replace(" ", "_")
    return endpoint(answer)


def visits(name: str = "session") -> tuple[Visit, ...]:
    """With and without a session: sound, empty, forged, too old, broken."""
    good = cookie({"a": 1})
    values = (
        *(None, good, cookie({}), cookie({"a": 1}, key="another key"), good[:-1], good + "x"),
        *(cookie({"a": 1}, age=1000), cookie({"a": 1}, age=10**7), "null", "", good.upper()),
        *(f'"{good}"', "a.b.c"),
    )
    made = [
        Visit(PATH) if v is None else Visit(PATH, headers=h(cookie=f"{name}={v}")) for v in values
    ]
    doubled = h(cookie=f"{name}={good}") + h(cookie=f"{name}={cookie({'a': 2})}")
    several = h(cookie=f"x=1; {name}={good}; y=é")
    made += [Visit(PATH, headers=doubled), Visit(PATH, headers=several)]
    made += [Visit("/none", headers=h(cookie=f"{name}={good}"))]
    # Signed by us, and yet no session.
    made += [
        Visit(PATH, headers=h(cookie=f"{name}={cookie(data)}"))
        for data in (b"not json", b"[1, 2]", b"7", b"\xff")
    ]
    return tuple(made)


def scene(part: Part, stack: tuple[Part, ...], few: bool = False, **more: Any) -> Scene:
    steps = visits()[:5] if few else visits()
    return Scene(Served(part, stack, **more), steps, reduce=signed)


sessions = kit("Session", secret_key=KEY)


@pytest.mark.parametrize("late", [False, True], ids=["before", "amid"])
@pytest.mark.parametrize("name", WORKS)
def test_what_becomes_of_a_session(mode: Mode, name: str, late: bool) -> None:
    """Read, changed, cleared: whether it is set, deleted or left alone, and what varies by it."""
    check(mode, scene(works(name, late), (tells_scope, sessions)))


OPTIONS: tuple[dict[str, Any], ...] = (
    {"session_cookie": "other"},
    {"max_age": None},
    {"max_age": 500},
    {"path": "/sub"},
    {"same_site": "strict"},
    {"same_site": "none", "https_only": True},
    {"domain": ".example"},
    {"partitioned": True, "https_only": True, "domain": "a.example", "max_age": 700, "path": ""},
)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_the_cookie(mode: Mode, number: int) -> None:
    """Its name, age, path and flags; a key that is a Secret."""
    options = OPTIONS[number]
    for key in (KEY, Secret(KEY)):
        layer = kit("Session", secret_key=key, **options)
        steps = visits(options.get("session_cookie", "session"))
        for name in ("set", "cleared", "read", "untouched"):
            served = Served(works(name), (layer,))
            check(mode, Scene(served, steps, reduce=signed))


def test_all_kinds_of_answers(mode: Mode) -> None:
    """Streams, errors, and those who have Vary headers of their own."""
    reads = dispatches.dispatch(_reads_session)
    failures = (failing.http, failing.boom, failing.mid_body)
    for below in (two_varies, raw.bare, streaming.one, *failures):
        for stack in ((sessions,), (sessions, reads), (sessions, layers.both, reads, reads)):
            check(mode, scene(below, stack, few=len(stack) > 1))
            check(mode, scene(below, stack, few=True), backend="trio")


async def _reads_session(world: World, who: str, request: Any, call_next: Any) -> Any:
    """A middleware that uses the session before and after what is below."""
    request.session["before"] = who
    response = await call_next(request)
    request.session["after"] = who  # too late, unless the answer has not begun
    return response


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await super().__call__(scope, receive, send)
            world.tell(who, dict(scope.get("session", {})))

    return Own


def _set(**attributes: Any) -> Any:
    def change(world: World) -> None:
        for name, value in attributes.items():
            setattr(stack_of(world), name, value)

    return change


def _other_key(world: World) -> None:
    stack_of(world).signer = itsdangerous.TimestampSigner("another key")


@endpoint
async def exchanges_session(world: World, request: Any) -> Any:
    if request.query_params:
        request.scope["session"] = {"plain": "dict"}
    else:
        session = type(request.session)({"new": 1})
        session["newer"] = 2
        request.scope["session"] = session
    return world.ns.PlainTextResponse("exchanged")


def test_subclasses_and_changes(mode: Mode) -> None:
    """Its attributes are asked for at each request; the scope may hold another session."""
    layer = subclassed("Session", own_call, secret_key=KEY)
    changes = (
        *(_set(max_age=500), _set(max_age=None), _set(path="/x", security_flags="none")),
        *(_set(session_cookie="other"),),
    )
    for name in ("set", "cleared", "untouched"):
        check(mode, scene(works(name), (layer,)))
        for change in changes:
            steps = (*visits()[:4], change, *visits()[:8])
            check(mode, Scene(Served(works(name), (sessions,)), steps, reduce=signed))
    steps = (Visit(PATH), Visit(PATH, query=b"plain"), visits()[1])
    check(mode, Scene(Served(exchanges_session, (sessions,)), steps, reduce=signed))
    # Signed by another key now, what is set cannot be read here.
    steps = (*visits()[:4], _other_key, *visits()[:4])
    check(mode, Scene(Served(works("read"), (sessions,)), steps, reduce=signed))


def test_nested_and_in_places(mode: Mode) -> None:
    """The inner session hides the outer; each has its cookie."""
    other = kit("Session", secret_key=KEY, session_cookie="other")
    stacks = (
        *((sessions, other), (sessions, sessions), (dispatches.header, sessions, layers.marks)),
        (sessions, kit("GZip", minimum_size=0), kit("CORS"), dispatches.changes),
    )
    for stack in stacks:
        for place in ("app", "route", "split", "raw"):
            for name in ("set", "cleared"):
                check(mode, scene(works(name), stack, few=True, place=place))
    for half in HALVES:
        check(half, scene(works("set"), stacks[0]))


def test_websockets(mode: Mode) -> None:
    """A session can be read, and changed only before it is accepted; no cookie is set."""

    def build(world: World) -> Any:
        async def session(websocket: Any) -> None:
            websocket.session["seen"] = True
            await websocket.accept()
            await websocket.send_json(dict(websocket.session))
            await websocket.close()

        async def denies(websocket: Any) -> None:
            websocket.session["seen"] = True
            await websocket.send_denial_response(world.ns.PlainTextResponse("denied"))

        table = [world.ns.WebSocketRoute(PATH, session), world.ns.WebSocketRoute("/no", denies)]
        made = world.ns.Middleware(world.ns.SessionMiddleware, secret_key=KEY)
        return world.ns.Starlette(routes=table, middleware=[made])

    denial = (("extensions", {"websocket.http.response": {}}),)
    steps = [Visit(PATH, type="websocket", headers=visit.headers) for visit in visits()[:6]]
    steps.append(Visit("/no", type="websocket", extra=denial))
    check(mode, Scene(Served(build=build), tuple(steps), reduce=signed))


@st.composite
def sequences(draw: st.DrawFn) -> tuple[str, ...]:
    return Choices(draw).some(tuple(WORKS), 1, 5)


@given(names=sequences())
@examples(1 / 4)
def test_any_sequence_of_works(mode: Mode, names: Any) -> None:
    """Several in one request."""

    async def answer(world: World, request: Any) -> Any:
        for name in names:
            work = WORKS[name]
            if work is not None:
                try:
                    world.tell("endpoint", work(request.session))
                except KeyError as exc:
                    world.tell("endpoint", exc)
        return world.ns.PlainTextResponse("worked")

    steps = visits()
    check(mode, Scene(Served(endpoint(answer), (sessions,)), (*steps[:3], steps[6]), reduce=signed))
