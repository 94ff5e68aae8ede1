"""Middleware in all places: the application, its routers, mounts and routes, and around them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Visit
from tests.differential import answering, failing
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.middleware.dispatches import DISPATCHES, PASSING
from tests.differential.middleware.forms import FORMS, by
from tests.differential.middleware.layers import LAYERS
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.tables import Choices, examples

# Up to 2.3 a stream listens for the client's leaving; how often it does is not certain.
VISITS = (
    Visit(PATH, "POST", body=(b"ab", b"cd"), spec="2.4"),
    *(Visit("/none", spec="2.4"), Visit(PATH, method="PUT", spec="2.4"), Visit(PATH, spec="2.4")),
    *(Visit(PATH, method="HEAD", spec="2.4"), Visit(PATH, query=b"short", spec="2.4")),
    Visit(PATH, query=b"late", spec="2.4"),
)
ENDPOINTS = (answering.background, failing.boom, streaming.one)
STACKS = (
    (dispatches.header,),
    (dispatches.looks, dispatches.changes),
    (dispatches.changes_scope, dispatches.drops_after_reading, dispatches.header),
    (dispatches.header, layers.neither, dispatches.background, dispatches.swallows),
    (layers.neither, dispatches.header),
    (layers.sends, dispatches.header),
    (layers.receives, dispatches.in_helper),
    (layers.both, dispatches.untouched),
    (dispatches.header, layers.neither),
    (dispatches.header, layers.sends),
    (dispatches.in_context, layers.receives),
    (dispatches.untouched, layers.both),
    (layers.marks, dispatches.header, layers.marks, dispatches.header),
    (dispatches.header, layers.copies, dispatches.changes_scope, layers.exchanges),
    (dispatches.header, layers.transparent, dispatches.header),
    (dispatches.looks, layers.a_function, dispatches.finally_),
    (dispatches.answers, dispatches.header),
    (dispatches.header, dispatches.answers),
    (dispatches.header, dispatches.raises_after, layers.swallows),
    (dispatches.header, layers.in_task, dispatches.header),
    (dispatches.untouched, layers.in_scope, layers.pausing),
    (dispatches.header, layers.collects),
    (layers.collects, dispatches.header),
    (dispatches.header, layers.reads_body),
)


def scenes(place: str, stack: tuple[Part, ...]) -> list[Scene]:
    # Some parts tell what they do while others are at it.
    return [Scene(Served(e, stack, place), VISITS[:3]) for e in ENDPOINTS]


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_stacks_in_each_place(mode: Mode, stack: tuple[Part, ...]) -> None:
    """One to four layers, in whatever place `middleware=` may be given, or around it all."""
    check(mode, *(scene for place in PLACES for scene in scenes(place, stack)))


@pytest.mark.parametrize("place", PLACES)
def test_stacks_in_each_place_on_trio(mode: Mode, place: str) -> None:
    """The same on trio."""
    stacks = (STACKS[1], STACKS[3])
    check(mode, *(scene for one in stacks for scene in scenes(place, one)), backend="trio")


@pytest.mark.parametrize("half", HALVES, ids=repr)
@pytest.mark.parametrize("place", PLACES)
def test_half_migrated(half: Mode, place: str) -> None:
    """Starlette's middleware in our application, and the reverse."""
    check(half, *(scene for stack in STACKS[:4] for scene in scenes(place, stack)))


@pytest.mark.parametrize("place", PLACES)
def test_layers_of_routes_below_others(mode: Mode, place: str) -> None:
    """Middleware of the route, below that of any other place."""
    for outer, inner in ((STACKS[0], STACKS[1]), (STACKS[2], STACKS[5]), (STACKS[9], STACKS[0])):
        served = [Served(e, outer, place, within=inner) for e in ENDPOINTS]
        check(mode, *(Scene(one, VISITS[:3]) for one in served))


@pytest.mark.parametrize("place", PLACES)
def test_the_order_of_everything(mode: Mode, place: str) -> None:
    """Where each waits for the next, the whole order is certain."""
    plain = (answering.json, answering.background, failing.boom, failing.http)
    for stack in (*STACKS[:4], (dispatches.finally_,) * 4):
        check(mode, *(Scene(Served(e, stack, place), VISITS[:3]) for e in plain))


@pytest.mark.parametrize("name", FORMS)
def test_forms_in_each_place(mode: Mode, name: str) -> None:
    """However the middleware is written."""
    stack = (by(dispatches.header, name), by(dispatches.looks, name))
    below = (answering.json, failing.boom)
    check(mode, *(Scene(Served(e, stack, place), VISITS[:2]) for place in PLACES for e in below))


ANY_ENDPOINT = (*answering.PLAIN, *failing.RAISING, streaming.one, streaming.ten)


@st.composite
def stacks(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)

    def part() -> Part:
        if choose.seldom(3):
            return choose.of(LAYERS)
        made = choose.of(PASSING if choose.number(0, 3) else DISPATCHES[:-1])
        return by(made, choose.of(tuple(FORMS))) if choose.seldom(3) else made

    stack = tuple(part() for _ in range(choose.number(1, 4)))
    within = (part(),) if choose.seldom(4) else ()
    served = Served(choose.of(ANY_ENDPOINT), stack, choose.of(tuple(PLACES)), within)
    visits = choose.some(VISITS, 1, 3)
    # On stock, what is below may raise before an early hint has reached the client; here after.
    return Scene(served, visits, lanes=True, unheard=("stream",))


@given(scene=stacks())
@examples(1 / 2)
def test_stacks_of_any_kind(mode: Mode, scene: Any) -> None:
    """What is not thought of by hand."""
    check(mode, scene)
