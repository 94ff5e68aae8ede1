"""Exceptions through middleware: handled below, above, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st
from starlette.exceptions import HTTPException

from tests.asgi import Visit
from tests.differential import answering, failing
from tests.differential.endpoints import Boom
from tests.differential.middleware import dispatches, handlers, layers
from tests.differential.middleware.dispatches import DISPATCHES
from tests.differential.middleware.handlers import HANDLERS
from tests.differential.modes import Mode
from tests.differential.observed import Outcome
from tests.differential.part import Part, asgi, dispatch
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, PLACES, Served
from tests.differential.tables import Choices, examples
from tests.differential.world import World

VISITS = (Visit(PATH), Visit("/none"))
HTML = Visit(PATH, headers=((b"accept", b"text/html"),))
CAUGHT: tuple[Any, ...] = (418, 404, 500, HTTPException, Boom, Exception, KeyError)
STACKS = (
    (dispatches.untouched,),
    (dispatches.untouched,) * 3,
    (dispatches.swallows,),
    (dispatches.raises_again, dispatches.fails_while_handling),
    (dispatches.translates, dispatches.in_context),
    (dispatches.raises_after,),
    (dispatches.raises_http_before,),
    (layers.swallows, dispatches.header),
    (dispatches.header, layers.swallows),
)
# What one that calls again makes of the middleware below it is not certain.
ONCE = tuple(part for part in DISPATCHES if part is not dispatches.swallows_and_calls_again)
FAILING = (*failing.RAISING, *failing.LATE)


def scenes(stack: tuple[Part, ...], **more: Any) -> Iterator[Scene]:
    for endpoint in FAILING:
        if stack == (dispatches.raises_after,) and endpoint.traits.get("fails"):
            continue  # or is cancelled before
        visits = VISITS[:1] if len(stack) > 1 else VISITS
        yield Scene(Served(endpoint, stack, **more), visits)


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_exceptions_by_each_kind_of_endpoint(mode: Mode, stack: tuple[Part, ...]) -> None:
    """Type, message, cause, and what suppresses what: without handlers, and in debug mode."""
    check(mode, *scenes(stack))
    check(mode, *list(scenes(stack, debug=True))[::2])


@pytest.mark.parametrize("place", PLACES)
def test_exceptions_in_each_place(mode: Mode, place: str) -> None:
    """HTTPException becomes a response below or above the middleware, as it is placed."""
    for stack in (STACKS[1], STACKS[4]):
        check(mode, *list(scenes(stack, place=place))[::3])


@pytest.mark.parametrize("caught", CAUGHT, ids=repr)
def test_exceptions_with_handlers(mode: Mode, caught: Any) -> None:
    """Handlers by status, by class, of everything; that answer, raise, or answer nothing."""
    below = (failing.http, failing.boom, failing.with_context, failing.key_error, answering.json)
    late = (failing.background_boom, failing.stream_boom_later)
    found = []
    for handler in HANDLERS:
        for stack in (*STACKS[:2], STACKS[5], STACKS[6]):
            for endpoint in (*below, *late):
                if endpoint.traits.get("fails") and stack == STACKS[5]:
                    continue
                served = Served(endpoint, stack, handlers=((caught, handler),))
                found.append(Scene(served, VISITS[:1]))
    check(mode, *found)


@pytest.mark.parametrize("part", DISPATCHES, ids=repr)
def test_handlers_above_and_below(mode: Mode, part: Part) -> None:
    """Of the mounted application's own exceptions, and of those of its middleware."""
    known = ((Boom, handlers.answers), (HTTPException, handlers.answers), (500, handlers.answers))
    below = (failing.http, failing.boom, failing.chained, answering.json)
    check(
        mode,
        *(
            Scene(Served(e, (part,), place, handlers=known), VISITS[:1])
            for e in below
            for place in ("app", "mounted app", "route", "mount")
        ),
    )


def test_exceptions_on_trio(mode: Mode) -> None:
    """The same on trio."""
    for stack in STACKS[:5]:
        check(mode, *list(scenes(stack))[STACKS.index(stack) % 3 :: 3], backend="trio")


def test_an_exception_raised_again_and_again(mode: Mode) -> None:
    """The same instance each time, through one and through three middlewares."""
    for stack in STACKS[:5]:
        for known in ((), ((Boom, handlers.answers),)):
            served = Served(failing.shared, stack, handlers=known)
            check(mode, Scene(served, (Visit(PATH),) * 3))


@dispatch
async def both_fail(world: World, who: str, request: Any, call_next: Any) -> Any:
    """It raises while what is below still works, and fails in turn as it is cancelled."""
    await call_next(request)
    raise Boom("above")


@asgi
async def fails_as_it_is_cancelled(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        await world.until("never")
    finally:
        raise LookupError("while cleaning up")


def test_both_fail(mode: Mode) -> None:
    """What the middleware raises goes before what fails as it is cancelled."""
    for stack in ((both_fail,), (dispatches.header, both_fail), (both_fail, layers.both)):
        for place in ("app", "raw"):
            check(mode, Scene(Served(fails_as_it_is_cancelled, stack, place)))


def innermost(outcome: Outcome) -> Outcome:
    """Without the groups that it comes in, and without what the middleware makes of it."""
    text = repr(outcome["exception"])
    return {**outcome, "exception": "Loud" in text, "log": [], "messages": []}


def test_what_is_no_exception(mode: Mode) -> None:
    """A BaseException comes through, whatever it comes in."""
    for stack in ((dispatches.untouched,), (dispatches.swallows,), (dispatches.header,) * 2):
        check(mode, Scene(Served(failing.loud, stack), reduce=innermost))


@st.composite
def failures(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    stack = choose.some((*ONCE, layers.neither, layers.swallows), 1, 3)
    handled = {choose.of(CAUGHT): choose.of(HANDLERS) for _ in range(choose.number(0, 2))}
    # Whether what streams has failed by the time that somebody gives up on it is not certain.
    below = (*failing.RAISING, failing.background_boom, failing.background_http)
    place = choose.of(tuple(PLACES))
    # Nobody but the client may see the traceback, whose frames differ.
    debug = choose.seldom(5) and place not in ("split", "around")
    served = Served(choose.of(below), stack, place, handlers=tuple(handled.items()), debug=debug)
    # How far a stream is ahead of whoever stops reading it is not certain.
    visits = choose.some((*VISITS, HTML), 1, 2)
    # A hint goes up turn by turn: it may reach the client after what is below has failed.
    lanes = served.has_threads or dispatches.sends_itself in stack
    return Scene(served, visits, lanes=lanes, unheard=("stream",))


@given(scene=failures())
@examples(1 / 2)
def test_failures_of_any_kind(mode: Mode, scene: Any) -> None:
    """What is not thought of by hand."""
    check(mode, scene)
