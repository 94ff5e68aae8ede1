"""The compiled routes of a router, and the choice among them.

`choose` does what the loop of Starlette's ``Router.app`` does, with the same effects on the scope:
the first route that matches fully, else the first that matches but for its method. It also walks
down into mounts of plain routers, level by level, in the same call.
"""

from __future__ import annotations

from typing import Any

from starlette._utils import get_route_path
from starlette.routing import Match, Mount, Route, Router, WebSocketRoute
from starlette.types import Scope

from turbostar._chains import Chain, chains_of
from turbostar._classes import are_same
from turbostar._entry import Entry, Kind, Test, entry_of
from turbostar._matcher import Index, Prefixes
from turbostar._names import Names
from turbostar._patches import can_route, look_again, look_closely, others_unchanged
from turbostar._watch import RouteList, current_era

__all__ = ["Table", "choose", "is_matched", "may_match", "names_of", "table_of"]

ATTRIBUTE = "_turbostar_table"


class Table:
    """The routes of one router in one era."""

    __slots__ = (
        "chains",
        "checks",
        "entries",
        "era",
        "fragile",
        "http",
        "is_varied",
        "miss",
        "names",
        "reused",
        "snapshot",
        "websocket",
    )

    def __init__(self, router: Router) -> None:
        self.era = current_era()
        self.reused = False
        routes = router.routes
        # A list that is not ours may be changed unseen: it is compared, item by item.
        self.snapshot = None if type(routes) is RouteList else list(routes)
        self.entries = entries = [entry_of(route) for route in routes]
        classes = {type(entry.route) for entry in entries}
        classes |= {entry.child.cls for entry in entries if entry.child is not None}
        self.checks = tuple(
            (cls, name, getattr(cls, name))
            for cls in classes
            if cls.__module__ not in ("starlette.routing", "turbostar.routing")
            for name in ("matches", "handle", "__call__")
            if hasattr(cls, name)
        )
        self.fragile = bool(self.checks) or self.snapshot is not None
        #: Whether it has routes other than plain ones, so that HTTP requests rely on these, too.
        self.is_varied = any(
            not isinstance(entry.route, Route) or entry.kind is Kind.CLASS for entry in entries
        )
        self.http = _index(entries, WebSocketRoute)
        self.websocket = _index(entries, Route)
        self.miss = Entry(router, Kind.MISS)
        self.names: Names | None = None
        self.chains: Prefixes[Chain] | None = (
            None  # made when a mount is entered for the first time
        )

    def is_current(self, routes: Any) -> bool:
        """Whether a fragile table says what the router's routes say, unless its era is over.

        Fragile is a table of foreign classes, which may be patched, or of a list that is not ours.
        """
        for cls, name, method in self.checks:
            if getattr(cls, name) is not method:
                return False
        snapshot = self.snapshot
        return snapshot is None or are_same(routes, snapshot)


# So deep are mounts walked in one go; a router mounted in itself recurses, as on stock.
MAX_DEPTH = 50

# Members of an enum cost three times a global to look up.
LITERAL, SINGLE, REGEX, PREFIX, MOUNT, ASKED = Test
NONE, _, FULL = Match


def _index(entries: list[Entry], excluded: type) -> Index[Entry]:
    return Index(
        [
            (entry.shape, entry)
            for entry in entries
            if entry.test is Test.ASKED or not isinstance(entry.route, excluded)
        ]
    )


def table_of(router: Router) -> Table | None:
    """The current table of a router, compiled if need be; None where it changes all the time."""
    if not can_route():
        return None
    table: Table | None = router.__dict__.get(ATTRIBUTE)
    if table is not None and not table.era.is_over and table.is_current(router.routes):
        return table
    if table is not None and not table.reused:
        # Changed again before it was of any use: not worth compiling until it rests.
        table.reused = True
        return None
    look_closely()
    table = Table(router)
    router.__dict__[ATTRIBUTE] = table
    return table


def choose(router: Any, scope: Scope) -> Any:
    """Choose the route for an HTTP request or a websocket, and update the scope for it.

    Raises whatever a convertor, or somebody's own ``matches``, raises.
    """
    if "router" not in scope:
        scope["router"] = router
    path: Any = None
    depth = 0
    while True:
        try:
            table = router._turbostar_table
        except AttributeError:
            table = None
        if (
            table is None
            or table.era.is_over
            or (table.fragile and not table.is_current(router.routes))
        ):
            table = table_of(router)
            if table is None:
                return Entry(router, Kind.STOCK)
        else:
            table.reused = True
        if path is None:
            path = get_route_path(scope) if scope.get("root_path") else scope["path"]
        index = table.http if scope["type"] == "http" else table.websocket
        if (table.is_varied or index is not table.http) and not others_unchanged():
            look_again()
            return choose(router, scope)
        candidates = index.static.get(path)
        if candidates is None:
            if "\n" in path:  # a pattern ends in `$`, which also matches before a newline
                return Entry(router, Kind.STOCK)
            chain = None if table.chains is None else table.chains.find(path)
            if chain is not None and depth < MAX_DEPTH and _enter_all(scope, chain):
                depth += len(chain.mounts)
                router = chain.router
                path = path[len(chain.path) :]
                continue
            candidates = index.parents.get(path[: path.rfind("/")])
            if candidates is None:
                candidates = index.dynamic(path)
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
                matched = entry.prefix[:-1]
                _enter(scope, entry, {}, matched)
                break
            elif test is ASKED:
                answer, child_scope = entry.route.matches(scope)
                if answer is FULL:
                    scope["route"] = entry.route
                    scope.update(child_scope)
                    return entry
                if answer is not NONE and partial is None:
                    partial, partial_scope = entry, child_scope
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
                    matched = path[: -len(remaining)]
                    _enter(scope, entry, params, matched)
                    break
            if "path_params" in scope:
                params = {**scope["path_params"], **params}
            methods = entry.methods
            if methods and scope["method"] not in methods:
                if partial is None:
                    partial = entry.not_allowed
                    partial_scope = {"endpoint": entry.scope_endpoint, "path_params": params}
                continue
            scope["route"] = entry.route
            scope["endpoint"] = entry.scope_endpoint
            scope["path_params"] = params
            return entry
        else:
            if partial is None:
                return table.miss
            scope["route"] = partial.route
            scope.update(partial_scope)
            return partial
        # A mount was entered: go on in its router, with what is left of the path.
        depth += 1
        if entry.child is None or depth > MAX_DEPTH:
            return entry
        if table.chains is None:
            table.chains = chains_of(table, table_of)
        router = entry.child.router
        # Starlette strips the root path from the whole path anew; where that began without one,
        # or with one that was stripped, the result is this.
        path = path[len(matched) :] if scope["path"].startswith(scope["root_path"] + "/") else None


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


def names_of(router: Router) -> Names | None:
    """The index of a router's names; None where its routes change all the time."""
    table: Table | None = router.__dict__.get(ATTRIBUTE)
    if table is None or table.era.is_over or table.fragile:
        table = table_of(router)
        if table is None:
            return None
    names = table.names
    if names is None or not names.is_current():
        names = table.names = Names(router.routes)
    return names


def may_match(router: Any, path: str) -> bool:
    """Whether there is any candidate for an HTTP path; if not, none need be asked."""
    table = table_of(router)
    return table is None or "\n" in path or bool(table.http.candidates(path))


def is_matched(router: Any, scope: Scope, path: str) -> bool:
    """Whether any route matches an HTTP path, whatever its method; the scope is only read."""
    table = table_of(router)
    if table is None or "\n" in path:
        return any(route.matches(scope)[0] is not NONE for route in router.routes)
    for entry in table.http.candidates(path):
        test = entry.test
        if test is LITERAL:
            return True
        if test is ASKED:
            if entry.route.matches(scope)[0] is not NONE:
                return True
        else:
            found = entry.match(path)
            if found is not None:
                params = found.groupdict()
                for key in params:
                    params[key] = entry.convertors[key].convert(params[key])  # it may raise
                return not isinstance(entry.route, Mount) or params["path"] is not None
    return False
