"""Whatever is watched tells of its changes, and of nothing else; what was compiled goes stale."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from turbostar._guard import compiled as compiled_module
from turbostar._guard.compiled import Compiled, all_changed, changed
from turbostar._routing.table import table_of
from turbostar._routing.watched import RouteList
from turbostar.endpoints import HTTPEndpoint
from turbostar.routing import Route, Router


def compiled_from(*things: Any) -> Compiled:
    """Something that depends on these things."""
    compiled = Compiled()
    for thing in things:
        compiled.depend_on(thing)
    return compiled


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
def test_every_change_of_a_list_of_routes_is_told(change: Callable[[Any], object]) -> None:
    """A RouteList does what a list does, and tells of it."""
    plain, routes = [7, 8], RouteList([7, 8])
    compiled, other = compiled_from(routes), compiled_from(plain)
    change(routes)
    change(plain)
    assert routes == plain
    assert compiled.is_stale
    assert not other.is_stale


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
    compiled = compiled_from(routes)
    with pytest.raises(ZeroDivisionError):
        routes.extend(1 // (1 - number) for number in range(2))
    assert routes == [1, 1]
    assert compiled.is_stale


def test_copies_and_pickles_are_plain_lists() -> None:
    """Nothing that was compiled depends on a copy."""
    routes = RouteList([1, 2])
    for other in (copy.copy(routes), copy.deepcopy(routes), pickle.loads(pickle.dumps(routes))):
        assert type(other) is list
        assert other == [1, 2]


def test_replacing_what_is_read_is_told_and_anything_else_is_not() -> None:
    """Neither building another route nor counting on one is a change."""
    route = Route("/a", endpoint)
    compiled = compiled_from(route)
    for count in range(3):
        route.count = count  # type: ignore[attr-defined]
    Route("/b", endpoint, methods=["POST"])
    assert not compiled.is_stale
    for change in (
        lambda: setattr(route, "methods", {"PUT"}),
        lambda: setattr(route, "matches", route.matches),
        lambda: setattr(route, "__class__", type("Own", (Route,), {})),
        lambda: delattr(route, "count"),
    ):
        compiled = compiled_from(route)
        change()
        assert compiled.is_stale


def test_a_router_keeps_its_list() -> None:
    """`router.routes` is a RouteList, and a list that somebody puts there stays what it is."""
    router = Router([Route("/a", endpoint)])
    assert type(router.routes) is RouteList
    own = [*router.routes]
    compiled = compiled_from(router)
    router.routes = own
    assert router.routes is own
    assert compiled.is_stale


def test_a_mark_that_comes_while_something_is_read_is_kept() -> None:
    """What changes between the promise and the reading is marked, whatever was read."""
    thing: list[int] = [1]
    compiled = compiled_from(thing)
    changed(thing)
    assert compiled.is_stale
    again = compiled_from([2])
    all_changed()
    assert again.is_stale


def test_what_depends_on_another_goes_stale_with_it() -> None:
    """Also where the other is stale already."""
    thing: list[int] = []
    inner, outer = compiled_from(thing), Compiled()
    outer.depend_on_same(inner)
    changed(thing)
    assert outer.is_stale
    late = Compiled()
    late.depend_on_same(inner)
    assert late.is_stale


def test_nothing_is_kept_of_what_is_gone() -> None:
    """Who depends on a thing is forgotten with it."""
    from turbostar._guard import compiled as module

    gc.collect()  # what was there before, which might have had the same identity
    things = [[number] for number in range(10)]
    compiled = compiled_from(*things)
    assert all(id(thing) in module._made_from for thing in things)
    del compiled
    gc.collect()
    assert not any(id(thing) in module._made_from for thing in things)


class Page(HTTPEndpoint):
    """An endpoint that can be pickled."""


def pickled(thing: Any) -> Any:
    """What comes out of a pickle of a thing."""
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_a_router_has_a_table_of_its_own(make: Callable[[Any], Any]) -> None:
    """Compiled state that comes along with a copy is ignored."""
    router = Router([Route("/a", Page)])
    table = table_of(router)
    assert table is not None
    other = make(router)
    found = table_of(other)
    assert found is not None
    assert found is not table
    assert found.router is other
    assert table_of(router) is table


def test_no_change_is_lost_between_threads() -> None:
    """While two threads change routes and one serves, the last change is served at the end."""
    router = Router([Route(f"/{number}", endpoint) for number in range(20)])
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            table_of(router)

    def change(route: Any) -> None:
        for number in range(300):
            route.path_regex = re.compile(f"^/changed{number}$")

    threads = [threading.Thread(target=change, args=(route,)) for route in router.routes[:2]]
    server = threading.Thread(target=serve)
    for thread in (server, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    server.join()
    table = None
    for _ in range(3_000):  # it waits the longer for routes to rest, the oftener they have changed
        table = table or table_of(router)
    assert table is not None
    assert all(entry.match == entry.route.path_regex.match for entry in table.entries)


def test_no_change_is_missed_while_another_that_depended_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`changed` looks without the lock, so what is known of a thing is there at every moment."""
    things = [1]
    seen: list[bool] = []

    class Racing(dict[int, Any]):
        def pop(self, key: int, default: Any = None) -> Any:
            found = super().pop(key, default)
            changed(things)  # as another thread may, just now
            seen.append(stays.is_stale)
            return found

    monkeypatch.setattr(compiled_module, "_made_from", Racing())
    goes, stays = compiled_from(things), compiled_from(things)
    del goes
    assert all(seen)
    changed(things)
    assert stays.is_stale
