"""Generated route tables and requests: turbostar answers as stock Starlette does."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tests.differential.build import Scene, check
from tests.differential.modes import Mode
from tests.differential.requests import asks, lookup
from tests.differential.tables import Choices, examples, top


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
