"""Generated route tables and requests: turbostar answers as stock Starlette does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.differential.modes import Mode
from tests.differential.requests import Lookup, asks, lookup
from tests.differential.scene import Scene, check
from tests.differential.tables import AppOf, Choices, M, R, RouterOf, examples, top


@st.composite
def requests(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    described = top(choose)
    return Scene(described, asks(choose, described))


@st.composite
def reversals(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    described = top(choose)
    return Scene(described, tuple(lookup(choose, described) for _ in range(6)))


@given(scene=requests())
def test_requests_are_answered_as_by_stock(any_mode: Mode, scene: Scene) -> None:
    """Same messages, scope, exceptions, warnings and side effects, in the same order."""
    check(any_mode, scene)


@given(scene=reversals())
@examples(1 / 2)
def test_urls_are_built_as_by_stock(any_mode: Mode, scene: Scene) -> None:
    """`url_path_for` finds the same route, and fails in the same way."""
    check(any_mode, scene)


class Name(str):
    """A kind of string of somebody's own."""


@pytest.mark.parametrize("name", [None, 7, b"one", ["one"], ("one",), Name("one")], ids=repr)
def test_odd_names(any_mode: Mode, name: Any) -> None:
    """What is no name finds no route, but may match one that was named so."""
    routes = (R("/a", name="one"), M("/m", None, (R("/{b}", name="one"),), name="m"))
    check(any_mode, Scene(AppOf(RouterOf(routes)), (Lookup(name), Lookup(name, (("b", 1),)))))
