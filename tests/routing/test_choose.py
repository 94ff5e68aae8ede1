"""The choice of a route: which entry is returned, and what is left in the scope."""

from __future__ import annotations

from typing import Any

import pytest
import starlette.routing
from starlette.routing import Match

from turbostar._routing.choose import choose, is_matched, may_match
from turbostar._routing.entries import Kind
from turbostar.routing import Host, Mount, Route, Router, WebSocketRoute


async def endpoint(request: Any) -> None:
    """Stands for an endpoint that is never called."""


def scope_of(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": [], **more}


def test_the_first_full_match_is_chosen() -> None:
    """Of two routes that match, the one that stands first; the scope says which."""
    first, second = Route("/{name}", endpoint), Route("/a", endpoint)
    router = Router([first, second])
    scope = scope_of("/a")
    entry = choose(router, scope)
    assert (entry.route, entry.kind) == (first, Kind.ENDPOINT)
    assert scope["route"] is first
    assert scope["router"] is router
    assert scope["endpoint"] is endpoint
    assert scope["path_params"] == {"name": "a"}


def test_a_full_match_goes_before_an_earlier_partial_one() -> None:
    """A route of another method is only chosen where no later route matches fully."""
    post, get = Route("/a", endpoint, methods=["POST"]), Route("/{name}", endpoint)
    assert choose(Router([post, get]), scope_of("/a")).route is get
    scope = scope_of("/a", "PUT")
    refused = choose(Router([post, get]), scope)
    assert (refused.kind, refused.route, scope["route"]) == (Kind.NOT_ALLOWED, post, post)


def test_what_matches_nothing_is_a_miss_and_leaves_no_route() -> None:
    """The entry of a miss names the router; of the scope only `router` is set."""
    router = Router([Route("/a", endpoint)])
    scope = scope_of("/b")
    entry = choose(router, scope)
    assert (entry.kind, entry.route) == (Kind.MISS, router)
    assert scope == scope_of("/b", router=router)


def test_parameters_are_converted_and_added_to_those_above() -> None:
    """`path_params` is a new dictionary, never the one that was given."""
    above = {"a": "old"}
    scope = scope_of("/7/x.5", path_params=above)
    choose(Router([Route("/{a:int}/{b}", endpoint)]), scope)
    assert scope["path_params"] == {"a": 7, "b": "x.5"}
    assert above == {"a": "old"}


def test_what_a_convertor_raises_is_raised() -> None:
    """It is not taken for a route that does not match."""
    route = Route("/{a:int}", endpoint)

    def convert(value: str) -> int:
        raise LookupError(value)

    route.param_convertors["a"].convert = convert  # type: ignore[method-assign]
    try:
        with pytest.raises(LookupError, match="7"):
            choose(Router([route]), scope_of("/7"))
    finally:
        del route.param_convertors["a"].convert


def nested(depth: int) -> tuple[Router, Route]:
    leaf = Route("/end/{name}", endpoint)
    routes: list[Any] = [leaf]
    for number in reversed(range(depth)):
        routes = [Mount(f"/m{number}", routes=routes)]
    return Router(routes), leaf


@pytest.mark.parametrize("depth", [1, 2, 5, 60])
def test_mounts_are_walked_down_to_their_route(depth: int) -> None:
    """`root_path` grows by each mount; what is deeper than the limit is left to the mount."""
    router, leaf = nested(depth)
    prefix = "".join(f"/m{number}" for number in range(depth))
    scope = scope_of(f"{prefix}/end/x")
    entry = choose(router, scope)
    if depth < 50:
        assert (entry.route, entry.kind) == (leaf, Kind.ENDPOINT)
        assert scope["root_path"] == prefix
        assert scope["path_params"] == {"name": "x"}
    else:
        assert isinstance(entry.route, starlette.routing.Mount)
        assert prefix.startswith(scope["root_path"])
    assert scope["app_root_path"] == ""
    assert scope["router"] is router


def test_a_root_path_is_stripped_once() -> None:
    """A server's root path stands before the path, and a mount adds to it."""
    router, leaf = nested(1)
    scope = scope_of("/root/m0/end/x", root_path="/root")
    assert choose(router, scope).route is leaf
    assert (scope["root_path"], scope["app_root_path"]) == ("/root/m0", "/root")


def test_a_changed_list_is_noticed_at_the_next_request() -> None:
    """What was compiled of the routes is not used after a change; in time it is compiled anew."""
    old, new = Route("/a", endpoint), Route("/a", endpoint)
    router = Router([old])
    assert choose(router, scope_of("/a")).route is old
    router.routes.insert(0, new)
    # Until a list has kept still for a while, the choice is left to Starlette.
    entries = [choose(router, scope_of("/a")) for _ in range(3000)]
    assert {entry.kind for entry in entries} == {Kind.STOCK, Kind.ENDPOINT}
    assert all(entry.kind is Kind.STOCK or entry.route is new for entry in entries)


def test_requests_and_websockets_do_not_meet() -> None:
    """Each only finds the routes of its kind."""
    http, socket = Route("/a", endpoint), WebSocketRoute("/a", endpoint)
    router = Router([http, socket])
    assert choose(router, scope_of("/a")).route is http
    scope = {"type": "websocket", "path": "/a", "headers": []}
    entry = choose(router, scope)
    assert (entry.route, entry.kind) == (socket, Kind.SESSION)


def test_a_host_is_asked_at_its_place() -> None:
    """It is matched by its own `matches`, after the routes that stand before it."""
    inner = Router([Route("/a", endpoint)])
    before, host = Route("/a", endpoint, methods=["POST"]), Host("h.example", inner)
    router = Router([before, host, Route("/a", endpoint)])
    scope = scope_of("/a", headers=[(b"host", b"h.example")])
    assert choose(router, scope).route is host
    assert choose(router, scope_of("/a", headers=[(b"host", b"b.example")])).route is not host


def test_who_changes_the_path_while_asked_is_heard_by_those_after() -> None:
    """The routes after a `matches` that moves the request are matched against its new path."""

    class Moving(Route):
        def matches(self, scope: Any) -> Any:
            scope["path"] = "/moved"
            return Match.NONE, {}

    target = Route("/moved", endpoint)
    scope = scope_of("/a")
    assert choose(Router([Moving("/m", endpoint), target]), scope).route is target
    assert scope["route"] is target


def test_one_parameter_at_the_end_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first candidate is asked at once; where it does not match, all are asked in turn."""
    number, name = Route("/items/{id:int}", endpoint), Route("/items/{name}", endpoint)
    router = Router([number, name, Route("/items/{any:path}", endpoint, methods=["POST"])])
    assert choose(router, scope_of("/items/1")).route is number
    assert choose(router, scope_of("/items/x")).route is name
    assert choose(router, scope_of("/items/1", "POST")).route is router.routes[2]
    assert choose(router, scope_of("/items/1", "PUT")).kind is Kind.NOT_ALLOWED
    monkeypatch.setattr("turbostar._routing.choose._descend", None)
    scope = scope_of("/items/7")
    assert choose(router, scope).route is number
    assert scope["path_params"] == {"id": 7}


@pytest.mark.parametrize("path", ["/a\n", "/m0/end/x\n", "/m0/end\n"])
def test_a_newline_is_left_to_starlette(path: str) -> None:
    """A pattern's `$` also matches before one, which no index knows."""
    router, _ = nested(1)
    assert choose(router, scope_of(path)).kind is Kind.STOCK


def test_what_may_match_is_no_less_than_what_does() -> None:
    """`may_match` looks for candidates, `is_matched` asks them, and neither changes the scope."""
    router = Router([Route("/a/{n:int}", endpoint, methods=["POST"]), Mount("/m", routes=[])])
    for path, may, does in (
        ("/a/7", True, True),
        ("/a/x", True, False),
        ("/b", False, False),
        ("/m/any", True, True),
        ("/a\n", True, False),
    ):
        scope = scope_of(path)
        assert (may_match(router, path), is_matched(router, scope, path)) == (may, does), path
        assert scope == scope_of(path)
