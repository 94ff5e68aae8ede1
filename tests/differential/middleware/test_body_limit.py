"""RequestBodyLimitMiddleware: on applications, routers, mounts and routes, and in the middle."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Visit
from tests.differential import answering, raw
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, handlers, layers
from tests.differential.middleware.bodies import AFTER, BEFORE, CAUGHT, READS
from tests.differential.middleware.kit import kit, subclassed, tells_scope
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part, asgi, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.tables import Choices, examples
from tests.differential.world import World


def limit(size: int) -> Part:
    return kit("RequestBodyLimit", max_body_size=size)


def post(*body: bytes, length: bytes | None = None, **more: Any) -> Visit:
    headers = () if length is None else ((b"content-length", length),)
    return Visit(PATH, "POST", body=body, headers=headers, stuck=True, **more)


VISITS = (
    *(post(), post(b""), post(b"123"), post(b"12", b"3"), post(b"1234"), post(b"12", b"34")),
    *(post(b"12", b"34", b"5" * 10), post(b"1", cut=True), post(b"12345", cut=True)),
    *(post(b"123", length=b"3"), post(b"1234", length=b"4"), post(b"12", length=b"4")),
    *(post(b"1234", length=b"2"), post(b"12", length=b"x"), post(b"12345", length=b"-1")),
    *(post(b"12", length=b"9" * 30), post(b"1234", length=b" 4 "), post(b"1234", length=b"")),
    *(post(b"1234", length=b"4", slow=True), post(b"1234", leaves=True)),
    Visit(PATH, "POST", body=(b"1234",), headers=((b"content-length", b"2"),) * 2, stuck=True),
    *(Visit(PATH, stuck=True), Visit("/none", "POST", body=(b"1234",), stuck=True)),
    Visit(PATH, type="websocket", headers=((b"content-length", b"9"),)),
)


@asgi
async def answers_then_reads(world: World, scope: Any, receive: Any, send: Any) -> None:
    """The answer has begun when the body turns out to be too long."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    while (message := await receive()).get("more_body"):
        world.tell("endpoint", message["body"])
    await send({"type": "http.response.body", "body": b"done"})


@endpoint
async def catches(world: World, request: Any) -> Any:
    """Whatever comes of reading, it answers."""
    try:
        return world.ns.PlainTextResponse(await request.body())
    except Exception as exc:
        world.tell("endpoint", exc, getattr(exc, "status_code", None))
        return world.ns.PlainTextResponse("caught")


@endpoint
async def fails_after_reading(world: World, request: Any) -> Any:
    try:
        await request.body()
    finally:
        raise Boom("of its own")


BELOW = (READS[0], READS[2], answering.json, answers_then_reads, catches, fails_after_reading)


@pytest.mark.parametrize("size", [0, 3, 4, 1000])
def test_limits(mode: Mode, size: int) -> None:
    """By content-length, by what arrives, with neither; before and after the answer begins."""
    for stack in ((limit(size),), (tells_scope, limit(size), tells_scope)):
        visits = VISITS if len(stack) == 1 else VISITS[::3]
        for e in (*BELOW, *READS[3:9:2], raw.trailers, raw.goes_on):
            check(mode, Scene(Served(e, stack), visits))
    scenes = (Scene(Served(e, (limit(size),)), VISITS[::3]) for e in BELOW)
    check(mode, *scenes, backend="trio")


@pytest.mark.parametrize("limits", list(itertools.product((None, 3, 1000), (None, 3, 5))), ids=repr)
def test_limits_of_applications_and_routes(mode: Mode, limits: Any) -> None:
    """The inner one counts, be it larger or smaller."""
    for place in ("app", "mounted app", "route"):
        for stack in ((), (limit(4),), (dispatches.swallows, limit(4))):
            served = [Served(e, stack, place, limits=limits) for e in BELOW[:4:3]]
            check(mode, *(Scene(one, VISITS[4::4]) for one in served))


def nested(sizes: tuple[int | None, ...]) -> Any:
    """A limit on each level: application, mount, mounted application, its router, route."""

    def build(world: World) -> Any:
        ns, (app, mount, mounted, router, route) = world.ns, sizes
        below = READS[0](world, "endpoint")
        table = [ns.Route(PATH, below, methods=["POST"], max_body_size=route)]
        inner = ns.Starlette(max_body_size=mounted)
        inner.router = ns.Router(table, max_body_size=router)
        outer = [ns.Mount("", inner, max_body_size=mount)]
        return ns.Starlette(routes=outer, max_body_size=app)

    return build


@pytest.mark.parametrize("outermost", [None, 2, 6])
def test_nested_limits(mode: Mode, outermost: int | None) -> None:
    """Of all levels at once."""
    visits = (post(b"12", b"34"), post(b"1234", length=b"4"), post(b"1" * 7))
    for sizes in itertools.product((None, 2, 6), repeat=4):
        check(mode, Scene(Served(build=nested((outermost, *sizes))), visits))


@pytest.mark.parametrize("part", [*BEFORE[:4], *AFTER[:2], *CAUGHT[:4:3]], ids=repr)
def test_middleware_between(mode: Mode, part: Part) -> None:
    """Middleware that reads above, between and below limits."""
    for stack in ((limit(3), part), (part, limit(3)), (limit(9), part, limit(3), part)):
        check(mode, *(Scene(Served(e, stack), VISITS[::3]) for e in BELOW[:3]))
    known = ((413, handlers.answers), (Exception, handlers.answers))
    for handled in (known, known[:1]):
        served = Served(READS[0], (limit(3), part), handlers=handled)
        check(mode, Scene(served, VISITS[::2]))


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.max_body_size = 2 if scope.get("query_string") else 5
            await super().__call__(scope, receive, send)

    return Own


def _smaller(world: World) -> None:
    stack_of(world).max_body_size = 1


def test_subclasses_and_changes(mode: Mode) -> None:
    """The size is asked for at each request."""
    own = subclassed("RequestBodyLimit", own_call, max_body_size=1000)
    visits = tuple(Visit(**{**vars(visit), "query": b"a"}) for visit in VISITS[::3])
    check(mode, *(Scene(Served(e, (own,)), (*VISITS[::2], *visits)) for e in BELOW))
    steps = (*VISITS[::3], _smaller, *VISITS[::2])
    check(mode, *(Scene(Served(e, (limit(1000),)), steps) for e in BELOW))


@pytest.mark.parametrize("place", PLACES)
def test_places(mode: Mode, place: str) -> None:
    """Wherever middleware may stand."""
    for stack in ((limit(3),), (limit(3), limit(5)), (layers.both, limit(3), dispatches.header)):
        served = [Served(e, stack, place) for e in BELOW[:3]]
        check(mode, *(Scene(one, VISITS[1::5]) for one in served))
        for half in HALVES:
            check(half, Scene(served[0], VISITS[1::5]))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    sizes = (0, 1, 3, 4, 100)
    pool = (*BEFORE[:4], *CAUGHT[:4], dispatches.header, dispatches.swallows, layers.receives)
    stack = tuple(
        limit(choose.of(sizes)) if choose.seldom(2) else choose.of(pool)
        for _ in range(choose.number(1, 4))
    )
    limits = choose.rarely(sizes, None, 3), choose.rarely(sizes, None, 3)
    visits = []
    for _ in range(choose.number(1, 4)):
        body = tuple(b"x" * choose.number(0, 4) for _ in range(choose.number(0, 3)))
        length = choose.of((None, None, b"%d" % sum(map(len, body)), b"3", b"5"))
        visits.append(post(*body, length=length, cut=choose.seldom(6)))
    # Who reads when it has answered may be cancelled first.
    below = [part for part in BELOW if part is not answers_then_reads]
    served = Served(choose.of(below), stack, choose.of(tuple(PLACES)), limits=limits)
    return Scene(served, tuple(visits), lanes=served.has_threads)


@given(scene=scenes())
@examples(1 / 2)
def test_limits_of_any_kind(mode: Mode, scene: Any) -> None:
    """Sizes and bodies that are not thought of by hand."""
    check(mode, scene)
