"""The choice of a route.

`choose` does what the loop of Starlette's ``Router.app`` does, with the same effects on the scope:
the first route that matches fully, else the first that matches but for its method. It also goes
down into mounts of plain routers, level by level, in the same call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import starlette.routing
from starlette._utils import get_route_path
from starlette.routing import Mount
from starlette.types import Scope

from turbostar._guard.patches import look_again, others_unchanged
from turbostar._routing.entries import Entry, Kind, Test
from turbostar._routing.mounts import Chain, chains_of
from turbostar._routing.table import ATTRIBUTE, Table, table_of

__all__ = ["choose", "is_matched", "may_match"]

# So deep are mounts walked in one go; a router mounted in itself recurses, as on stock.
MAX_DEPTH = 50

# Members of an enum cost three times a global to look up.
LITERAL, SINGLE, REGEX, PREFIX, MOUNT, ASKED = Test

late: Any = starlette.routing  # for names that are looked up when they are used, as stock does


def choose(router: Any, scope: Scope, kind: str = "") -> Any:
    """Choose the route for an HTTP request or a websocket, and update the scope for it.

    Raises whatever a convertor, or somebody's own ``matches``, raises.

    Args:
        kind: the type in the scope, from whoever knows it already.
    """
    if "router" not in scope:
        scope["router"] = router
    # Not as an attribute, which the router's own __getattr__ might be asked for.
    table = router.__dict__.get("_turbostar_table")
    is_http = (kind or scope["type"]) == "http"
    if (
        table is None
        or table.is_stale
        or table.router is not router
        or (table.is_fragile and not table.is_current(router.routes))
    ):
        table = table_of(router)
        if table is None:
            return Entry(router, Kind.STOCK)
    elif not table.is_used:
        table.is_used = True
    if (table.is_varied or not is_http) and not others_unchanged():
        look_again()
        return choose(router, scope)
    index = table.http if is_http else table.websocket
    path = get_route_path(scope) if scope.get("root_path") else scope["path"]
    candidates = index.static.get(path)
    if candidates is not None:
        # fast: the first candidate answers most requests to literal paths (400 routes, last static)
        entry = candidates[0]
        if entry.test is LITERAL and "path_params" not in scope:
            methods = entry.methods
            if not methods or scope["method"] in methods:
                scope["route"] = entry.route
                scope["endpoint"] = entry.scope_endpoint
                scope["path_params"] = {}
                return entry
    elif table.lanes and is_http and "path_params" not in scope and "\n" not in path:
        lane: Any = table.lanes.get(path[: path.rfind("/")])
        found = None if lane is None else lane.match(path)
        if found is not None and (not lane.methods or scope["method"] in lane.methods):
            key = lane.parameter
            params = {key: lane.convertors[key].convert(found[1])}
            scope["route"] = lane.route
            scope["endpoint"] = lane.scope_endpoint
            scope["path_params"] = params
            return lane
    return _descend(table, path, scope)


def _descend(table: Table, path: str, scope: Scope) -> Any:
    """Choose in one table and, where that is a mount of a plain router, in those below it."""
    is_http = scope["type"] == "http"
    depth = 0
    while True:
        index = table.http if is_http else table.websocket
        candidates = index.static.get(path)
        if candidates is None:
            if "\n" in path:  # a pattern ends in `$`, which also matches before a newline
                return Entry(table.router, Kind.STOCK)
            chain = None if table.chains is None else table.chains.find(path)
            if chain is not None and depth < MAX_DEPTH and _enter_all(scope, chain):
                depth += len(chain.mounts)
                router: Any = chain.router
                path = path[len(chain.path) :]
            else:
                # fast: a call less for most paths (3 nested Mounts, parameter)
                candidates = index.parents.get(path[: path.rfind("/")]) or index.dynamic(path)
        if candidates is not None:
            entry = _first_match(table, candidates, path, scope)
            depth += 1
            if entry.child is None or depth > MAX_DEPTH:
                return entry
            # A mount was entered: go on in its router, with what is left of the path.
            if table.chains is None:
                table.chains = chains_of(table, table_of)
            router = entry.child.router
            path = get_route_path(scope)
        below = router.__dict__.get(ATTRIBUTE)
        if below is None or below.is_stale or below.is_fragile or below.router is not router:
            below = table_of(router)
            if below is None:
                return Entry(router, Kind.STOCK)
        below.is_used = True
        table = below


def _first_match(table: Table, candidates: Sequence[Entry], path: str, scope: Scope) -> Any:
    """Choose among entries of a table, and update the scope for the choice."""
    partial: Any = None
    partial_scope: Any = None
    for entry in candidates:
        test = entry.test
        if test is LITERAL:
            params: Any = {}
        elif test is SINGLE:
            found = entry.match(path)
            if found is None:
                continue
            key = entry.parameter
            params = {key: entry.convertors[key].convert(found[1])}
        elif test is PREFIX and entry.convertors.get("path") is entry.convertor:
            if not path.startswith(entry.prefix):
                continue
            _enter(scope, entry, {}, entry.prefix[:-1])
            return entry
        elif test is ASKED:
            answer, child_scope = entry.route.matches(scope)
            if answer is late.Match.FULL:
                scope["route"] = entry.route
                scope.update(child_scope)
                return entry
            if answer is late.Match.PARTIAL and partial is None:
                partial, partial_scope = entry, child_scope
            if path != get_route_path(scope) or table.may_have_changed():
                # It has changed where the request goes, or the routes: those after it are asked.
                return ask_those_after(entry, table, scope, partial, partial_scope)
            continue
        else:
            found = entry.match(path)
            if found is None:
                continue
            params = found.groupdict()
            for key in params:
                params[key] = entry.convertors[key].convert(params[key])
            if test is MOUNT or test is PREFIX:  # whose convertor was replaced in place
                remaining = "/" + params.pop("path")
                _enter(scope, entry, params, path[: -len(remaining)])
                return entry
        if "path_params" in scope:
            params = {**scope["path_params"], **params}
        methods = entry.methods
        if not methods or scope["method"] in methods:
            scope["route"] = entry.route
            scope["endpoint"] = entry.scope_endpoint
            scope["path_params"] = params
            return entry
        if partial is None:
            partial = entry.not_allowed
            partial_scope = {"endpoint": entry.scope_endpoint, "path_params": params}
        if table.may_have_changed():  # by a convertor
            return ask_those_after(entry, table, scope, partial, partial_scope)
    return _second_best(table, scope, partial, partial_scope)


def _second_best(table: Table, scope: Scope, partial: Any, partial_scope: Any) -> Any:
    """The first entry that matches but for its method, and the scope for it; else the miss."""
    if partial is None:
        return table.miss
    scope["route"] = partial.route
    scope.update(partial_scope)
    return partial


def ask_those_after(
    entry: Entry, table: Table, scope: Scope, partial: Any, partial_scope: Any
) -> Any:
    """Ask all routes after one in turn, as Starlette does, and update the scope for the choice."""
    for route in table.routes_after(entry):
        answer, child_scope = route.matches(scope)
        found = Entry(route, Kind.HANDLE)
        if answer is late.Match.FULL:
            scope["route"] = route
            scope.update(child_scope)
            return found
        if answer is late.Match.PARTIAL and partial is None:
            partial, partial_scope = found, child_scope
    return _second_best(table, scope, partial, partial_scope)


def _enter(scope: Scope, mount: Entry, params: dict[str, Any], matched: str) -> None:
    """Leave the scope as Starlette does for the application below a mount."""
    root_path = scope.get("root_path", "")
    scope["route"] = mount.route
    scope["path_params"] = {**scope["path_params"], **params} if "path_params" in scope else params
    if "app_root_path" not in scope:
        scope["app_root_path"] = root_path
    scope["root_path"] = root_path + matched
    scope["endpoint"] = mount.scope_endpoint


def _enter_all(scope: Scope, chain: Chain) -> bool:
    """Leave the scope as for the application below the last of the mounts; False if they changed.

    False also where the path does not begin with the root path that a server is told of: Starlette
    then strips none from it.
    """
    root_path = scope.get("root_path", "")
    if root_path and not scope["path"].startswith(root_path + chain.path + "/"):
        return False
    for mount in chain.mounts:
        # Replaced in place, which ends no era.
        if mount.convertors.get("path") is not mount.convertor:
            return False
    _enter(scope, mount, {}, chain.path)
    return True


def may_match(router: Any, path: str) -> bool:
    """Whether there is any candidate for an HTTP path; if not, none need be asked."""
    table = table_of(router)
    return table is None or "\n" in path or bool(table.http.candidates(path))


def is_matched(router: Any, scope: Scope, path: str) -> bool:
    """Whether any route matches an HTTP path, whatever its method; the scope is only read."""
    table = table_of(router)
    if table is None or "\n" in path:
        return any(route.matches(scope)[0] is not late.Match.NONE for route in router.routes)
    for entry in table.http.candidates(path):
        test = entry.test
        if test is LITERAL:
            return True
        if test is ASKED:
            if entry.route.matches(scope)[0] is not late.Match.NONE:
                return True
            if table.may_have_changed():
                after = table.routes_after(entry)
                return any(route.matches(scope)[0] is not late.Match.NONE for route in after)
        else:
            found = entry.match(path)
            if found is not None:
                params = found.groupdict()
                for key in params:
                    params[key] = entry.convertors[key].convert(params[key])  # it may raise
                return not isinstance(entry.route, Mount) or params["path"] is not None
    return False
