"""Mounts within mounts are entered together, and everything comes out as on stock."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Ask
from tests.differential.change import Change
from tests.differential.changes import ATTRIBUTES, LISTS, any_change
from tests.differential.modes import Mode
from tests.differential.requests import Lookup
from tests.differential.scene import Scene, check
from tests.differential.tables import AppOf, B, Choices, H, M, R, RouterOf, W

PREFIXES = ("/a", "/a", "/b", "/a/b", "/b/a", "", "/{p}")
SIBLINGS = (
    R("/a"),
    R("/a/b"),
    R("/a/b/a"),
    R("/{a}"),
    R("/a/{a}"),
    R("/{a}/b"),
    R("/a/{a}/b"),
    R("/a/b/{a}"),
    R("/{a:path}"),
    R("/a/{a:path}"),
    R("/b/{a:int}", methods=("POST",)),
    W("/a/{a}"),
    W("/a/b"),
    M("/a", None, (R("/b"),)),
    M("/{a}", None, (R("/a"), R("/{b}"))),
    M("/a", "asgi"),
    M("/b", None, (R("/a"),), flavour="matches"),
    M("/a", RouterOf((R("/{b}"),), flavour="sub")),
    M("/b", RouterOf((R("/{b}"),), middleware=("pure",))),
    B("/a/b"),
    H("b.example", RouterOf((R("/a/b"),))),
)
LEAVES = (R("/a"), R("/{a}"), R("/"), R("/{a:int}/b"), W("/{a}"), R("/a", methods=("POST",)))
SEGMENTS = ("a", "b", "a", "b", "7", "", "é")
ROOTS = ((None, ""), ("", ""), ("/r", "/r"), ("/r", ""), ("/a", ""), ("/a", "/a"), ("/r/", "/r/"))


def routes(choose: Choices, depth: int) -> tuple[Any, ...]:
    """A table with a mount in it, which mostly comes first."""
    if not depth:
        return choose.some(LEAVES, 1, 2)
    before = choose.some(SIBLINGS, 1, 2) if choose.seldom(3) else ()
    mount = M(choose.of(PREFIXES), None, routes(choose, depth - 1), choose.of((None, "m")))
    return (*before, mount, *choose.some(SIBLINGS, 0, 2))


def ask(choose: Choices) -> Ask:
    root, before = choose.rarely(ROOTS, ROOTS[1], 3)
    path = before + "".join("/" + choose.of(SEGMENTS) for _ in range(choose.number(1, 5)))
    extra: tuple[tuple[str, Any], ...] = () if root is None else (("root_path", root),)
    if choose.seldom(8):
        extra += (choose.of((("path_params", {"z": 1}), ("app_root_path", "/above"))),)
    return Ask(
        path + choose.rarely(("\n", "/"), ""),
        method=choose.rarely(("POST", "HEAD"), "GET"),
        type=choose.rarely(("websocket",), "http"),
        extra=extra,
        without=("root_path",) if root is None else (),
    )


@st.composite
def scene(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    asks = [ask(choose) for _ in range(choose.number(2, 6))]
    steps: list[Any] = [*asks, *asks]
    top = RouterOf(routes(choose, choose.number(1, 3)))
    return Scene(top if choose.seldom(4) else AppOf(top), (*steps, Lookup("m:m:m")))


@given(scene=scene())
def test_mounts_within_mounts(mode: Mode, scene: Scene) -> None:
    """Same routes, scopes and answers, whatever stands beside a mount."""
    check(mode, scene)


PATHS = [
    "".join(f"/{segment}" for segment in path)
    for length in range(1, 5)
    for path in itertools.product("ab", repeat=length)
]
ASKS = tuple(map(Ask, PATHS))


def nest(siblings: tuple[tuple[Any, ...], ...]) -> AppOf:
    """Three routers, one in the other, in each of which something stands before the mount."""
    outer, middle, inner = siblings
    innermost = (*inner, R("/a"), R("/{a}"), R("/{a}/b"))
    below = M("/b", None, (*middle, M("/a", None, innermost)))
    return AppOf(RouterOf((*outer, M("/a", None, (below,)), R("/{a}/{b}"))))


@pytest.mark.parametrize("sibling", SIBLINGS, ids=repr)
def test_what_stands_before_a_mount(mode: Mode, sibling: Any) -> None:
    """It comes first wherever it matches, in whichever of the routers it is."""
    for level in range(3):
        before = tuple((sibling,) if level == here else () for here in range(3))
        check(mode, Scene(nest(before), (*ASKS, *ASKS)))


@st.composite
def changing(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    asks = tuple(map(Ask, ("/a/b/a/a", "/a/b/a/b", "/a/b/b", "/b/a", "/a/b/a/b/b")))
    steps: list[Any] = [*asks, *asks]
    for _ in range(choose.number(1, 3)):
        # Twice: a table that has just changed is compiled when it is asked again.
        steps += [any_change(choose, LISTS + ATTRIBUTES), *asks, *asks]
    return Scene(nest(((), (), ())), tuple(steps))


@given(scene=changing())
def test_what_changes_below_a_mount(mode: Mode, scene: Scene) -> None:
    """A change of any of the routers, or of what is in them, holds for the next request."""
    check(mode, scene)


@pytest.mark.parametrize("at", range(3))
def test_a_plain_list_below_a_mount(mode: Mode, at: int) -> None:
    """One of somebody's own tells nobody of its changes."""
    assign = Change("assign the list", at, value=())
    insert = Change("insert first", at, value=R("/{a:path}"))
    steps = (*ASKS, assign, *ASKS, *ASKS, insert, *ASKS)
    check(mode, Scene(nest(((), (), ())), steps))


def test_a_router_in_several_places(mode: Mode) -> None:
    """One router below three mounts, two of which have the same path."""
    inner = RouterOf((R("/x"), R("/{a}")))
    top = AppOf(RouterOf((M("/a", None, (M("/b", inner), M("/c", inner))), M("/a/b", inner))))
    paths = ("/a/b/x", "/a/c/y", "/a/b/c/x", "/a/b/", "/a/b", "/a/d/x")
    asks = tuple(Ask(path) for path in paths)
    check(mode, Scene(top, asks * 3))
