"""Eras: whatever is watched ends one when it changes, and never when it does not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from turbostar._watch import RouteList, current_era
from turbostar.routing import Route, Router


async def endpoint(request: Any) -> None:
    """Stands for an endpoint that is never called."""


CHANGES: list[Callable[[Any], object]] = [
    lambda routes: routes.append(1),
    lambda routes: routes.extend([1]),
    lambda routes: routes.insert(0, 1),
    lambda routes: routes.remove(7),
    lambda routes: routes.pop(),
    lambda routes: routes.clear(),
    lambda routes: routes.sort(),
    lambda routes: routes.reverse(),
    lambda routes: routes.__setitem__(0, 1),
    lambda routes: routes.__setitem__(slice(0, 1), [1, 2]),
    lambda routes: routes.__delitem__(0),
    lambda routes: routes.__delitem__(slice(None)),
    lambda routes: routes.__iadd__([1]),
    lambda routes: routes.__imul__(2),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_list_of_routes_ends_the_era(change: Callable[[Any], object]) -> None:
    """A RouteList does what a list does, and tells of it."""
    plain, routes = [7, 8], RouteList([7, 8])
    era = current_era()
    change(routes)
    change(plain)
    assert routes == plain
    assert era.is_over
    assert not current_era().is_over


def test_every_method_that_changes_a_list_is_covered() -> None:
    """A new Python with a new way to change a list shows up here."""
    same = {name for name in dir(list) if getattr(RouteList, name) is getattr(list, name)}
    harmless = {"copy", "count", "index", "__add__", "__contains__", "__getitem__", "__init__"}
    assert {"append", "sort", "__iadd__"} <= set(dir(list)) - same
    assert {name for name in same if not name.startswith("__")} <= harmless


def test_a_failed_change_leaves_the_list_as_it_was() -> None:
    """What raises in a list raises in a RouteList, and half a change is noticed."""
    routes = RouteList([1])
    with pytest.raises(ValueError, match="not in list"):
        routes.remove(2)
    era = current_era()
    with pytest.raises(ZeroDivisionError):
        routes.extend(1 // (1 - number) for number in range(2))
    assert routes == [1, 1]
    assert era.is_over


def test_copies_and_pickles_are_plain_lists() -> None:
    """Nothing that was compiled depends on a copy."""
    routes = RouteList([1, 2])
    for other in (copy.copy(routes), copy.deepcopy(routes), pickle.loads(pickle.dumps(routes))):
        assert type(other) is list
        assert other == [1, 2]


def test_replacing_an_attribute_ends_the_era_and_setting_a_new_one_does_not() -> None:
    """Building a route is no change; replacing or hiding what it has is one."""
    route = Route("/a", endpoint)
    era = current_era()
    route.note = "new"  # type: ignore[attr-defined]
    Route("/b", endpoint, methods=["POST"])
    assert not era.is_over
    for change in (
        lambda: setattr(route, "methods", {"PUT"}),
        lambda: setattr(route, "matches", route.matches),
        lambda: delattr(route, "note"),
    ):
        era = current_era()
        change()
        assert era.is_over


def test_a_router_keeps_its_list() -> None:
    """`router.routes` is a RouteList, and a list that somebody puts there stays what it is."""
    router = Router([Route("/a", endpoint)])
    assert type(router.routes) is RouteList
    own = [*router.routes]
    era = current_era()
    router.routes = own
    assert router.routes is own
    assert era.is_over
