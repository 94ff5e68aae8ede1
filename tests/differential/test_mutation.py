"""What is changed while an application serves is seen by the very next request."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from tests.differential.changes import ATTRIBUTES, LISTS, OTHERS, OVERRIDES, any_change
from tests.differential.modes import Mode
from tests.differential.requests import ask, lookup
from tests.differential.scene import Scene, check
from tests.differential.tables import (
    COMMON_ENDPOINTS,
    AppOf,
    Choices,
    H,
    M,
    R,
    RouterOf,
    examples,
    top,
    walk,
)


@st.composite
def changing(draw: st.DrawFn, group: list[str]) -> Scene:
    """The same requests over and over, and in between changes of one group (at times of any)."""
    choose = Choices(draw)
    described = orderly(choose) if choose.seldom(2) else top(choose, 1)
    templates = [template for template, _, _ in walk(described)]
    probes = [ask(choose, templates) for _ in range(choose.number(1, 3))]
    steps: list[Any] = list(probes) if choose.number(0, 3) else []
    for _ in range(choose.number(1, 4)):
        kinds = LISTS + ATTRIBUTES + OVERRIDES + OTHERS if choose.seldom(6) else group
        steps.append(any_change(choose, kinds))
        new = added(steps[-1].value)
        templates += new
        steps += [*probes, ask(choose, new or templates)]
        if choose.seldom(3):
            steps.append(lookup(choose, described))
    return Scene(described, tuple(steps))


def orderly(choose: Choices) -> AppOf:
    """An application in which few routes stand in each other's way, so that changes show."""
    routes = (
        R("/a", choose.of(COMMON_ENDPOINTS)),
        R("/b/{a:int}", choose.of(COMMON_ENDPOINTS), name="one"),
        M("/m/{a}", None, (R("/{b}"), R("/{b}/c")), name="m"),
        M("/r", RouterOf((R("/a"), R("/{a:int}")))),
        H("b.example", RouterOf((R("/a"),))),
    )
    return AppOf(RouterOf(tuple(choose.of(routes) for _ in range(choose.number(1, 3)))))


def added(value: object) -> list[str]:
    """The path templates that a change brings with it."""
    if isinstance(value, tuple):
        return [template for member in value for template in added(member)]
    if isinstance(value, str):
        return [value] if value.startswith("/") else []
    own = [value.path] if hasattr(value, "path") else []
    return own + [template for template, _, _ in walk(value)]


@given(scene=changing(LISTS))
def test_changed_route_lists_are_seen(mode: Mode, scene: Scene) -> None:
    """Whatever happens to `router.routes`, of whichever router, holds for the next request."""
    check(mode, scene)


@given(scene=changing(ATTRIBUTES))
def test_changed_routes_are_seen(mode: Mode, scene: Scene) -> None:
    """Attributes of a route may be replaced, or changed in place, at any time."""
    check(mode, scene)


@given(scene=changing(OVERRIDES))
@examples(1 / 2)
def test_changed_methods_of_routes_are_seen(mode: Mode, scene: Scene) -> None:
    """A route may be given another class, or methods of its own."""
    check(mode, scene)


@given(scene=changing(OTHERS))
def test_other_changes_are_seen(mode: Mode, scene: Scene) -> None:
    """Routers, applications, parts of the middleware stack and convertors may change as well."""
    check(mode, scene)
