"""The compiled routes of one router."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from starlette.routing import Route, Router, WebSocketRoute

from turbostar._guard.classes import are_same, computes, method_of, namespace
from turbostar._guard.compiled import Compiled
from turbostar._guard.patches import can_route, look_closely
from turbostar._routing.entries import (
    COMPUTED,
    OWN_MODULES,
    Entry,
    Kind,
    Memo,
    Test,
    entry_of,
)
from turbostar._routing.index import Index, Prefixes
from turbostar._routing.mounts import Chain
from turbostar._routing.names import Names
from turbostar._routing.watched import RouteList

__all__ = ["ATTRIBUTE", "Table", "names_of", "table_of"]

#: What a router's table is kept under, among its attributes.
ATTRIBUTE = "_turbostar_table"

_MOST_PATIENCE = 1024
_METHODS = ("matches", "handle", "__call__")
#: Of routes that are the same each time they are gone through, unless they were changed.
_ITERATIONS = (list.__iter__, tuple.__iter__)


class _ForeignClass:
    """A class of the user's as it was, to see whether anybody has patched it since."""

    __slots__ = ("_bases", "_call", "_cls", "_handle", "_matches", "_methods", "_mro")

    def __init__(self, cls: type) -> None:
        self._cls: Any = cls
        self._mro = cls.__mro__
        self._matches = getattr(cls, "matches", None)
        self._handle = getattr(cls, "handle", None)
        self._call = self._cls.__call__
        self._methods = [(name, method_of(cls, name)) for name in _METHODS]
        # A property that was put there since stands before what was read of the instances.
        bases = [base for base in self._mro[:-1] if base.__module__ not in OWN_MODULES]
        self._bases = [(names, len(names)) for names in map(namespace, bases)]

    def is_same(self) -> bool:
        cls = self._cls
        if cls.__mro__ is not self._mro:
            return False
        for names, size in self._bases:
            if len(names) != size:
                return False
        if (
            getattr(cls, "matches", None) is self._matches
            and getattr(cls, "handle", None) is self._handle
            and cls.__call__ is self._call
        ):
            return True
        # Some tools' wrappers bind anew at each look.
        return all(method_of(cls, name) is method for name, method in self._methods)


class Table(Compiled):
    """The routes of one router, as they are until something of them changes.

    Attributes:
        router: whose routes; a table that came to another router, as by a copy, is not that one's.
        entries: one for each route.
        http, websocket: what can match a path, for each kind of request.
        lanes: by all but the last segment of an HTTP path, the first of its candidates, where that
            is a pattern with one parameter.
        is_fragile: whether `is_current` is to be asked: for it holds routes of foreign classes,
            which may be patched, or was made of a list that is not ours.
        is_varied: whether it has routes other than plain ones, so that HTTP requests rely on more
            functions of Starlette's.
        is_used: whether another request than the one that it was compiled for was served by it.
        patience: for so many requests nothing is compiled in its place, once it is stale unused.
        waited: for how many of them that has been so.
        miss: what stands for no route.
        chains: of mounts; made when a mount is entered for the first time.
    """

    __slots__ = (
        "_names",
        "_routes",
        "_seen",
        "_snapshot",
        "chains",
        "entries",
        "http",
        "is_fragile",
        "is_used",
        "is_varied",
        "lanes",
        "miss",
        "patience",
        "router",
        "waited",
        "websocket",
    )

    def __init__(self, router: Router, patience: int = 1) -> None:
        super().__init__()
        self.router = router
        self.patience = patience
        self.waited = 0
        self.depend_on(router)
        self._routes = routes = router.routes
        self.depend_on(routes)
        snapshot = list(routes)
        memo = Memo()
        self.entries = entries = [self._entry(route, memo) for route in snapshot]
        self._snapshot = None if type(routes) is RouteList else snapshot
        self._seen = self._foreign_classes()
        is_foreign = type(router).__module__ not in OWN_MODULES
        self.is_fragile = is_foreign or bool(self._seen) or self._snapshot is not None
        self.is_used = False
        self.is_varied = any(
            not isinstance(entry.route, Route) or entry.kind is Kind.CLASS for entry in entries
        )
        self.http = _index(entries, WebSocketRoute)
        self.websocket = _index(entries, Route)
        self.lanes = _lanes(self.http)
        self.miss = Entry(router, Kind.MISS)
        self._names: Names | None = None
        self.chains: Prefixes[Chain] | None = None

    def _entry(self, route: Any, memo: Memo) -> Entry:
        self.depend_on(route)
        entry = entry_of(route, memo)
        if entry.child is not None:
            self.depend_on(entry.child.router)
        return entry

    def _foreign_classes(self) -> list[_ForeignClass]:
        classes = {type(self.router)} | {type(entry.route) for entry in self.entries}
        classes |= {entry.child.cls for entry in self.entries if entry.child is not None}
        return [_ForeignClass(cls) for cls in classes if cls.__module__ not in OWN_MODULES]

    def is_current(self, routes: Any) -> bool:
        """Whether a fragile table says what these routes of the router say, unless it is stale."""
        for seen in self._seen:
            if not seen.is_same():
                return False
        if routes is not self._routes:
            return False
        return self._snapshot is None or are_same(routes, self._snapshot)

    def may_have_changed(self) -> bool:
        """Whether the routes may be others than a moment ago, when one of them was asked."""
        return self.is_stale or self._snapshot is not None

    def routes_after(self, entry: Entry) -> Iterator[Any]:
        """The routes that come after one in the list, as that is now and while they are asked."""
        return islice(self._routes, self.entries.index(entry) + 1, None)

    def names(self) -> Names:
        """The index of the names of the routes."""
        names = self._names
        if names is None or not names.is_current():
            names = self._names = Names(self._routes)
        return names


def _index(entries: list[Entry], excluded: type) -> Index[Entry]:
    return Index(
        [
            (entry.shape, entry)
            for entry in entries
            if entry.test is Test.ASKED or not isinstance(entry.route, excluded)
        ]
    )


def _lanes(index: Index[Entry]) -> dict[str, Entry]:
    return {
        parent: candidates[0]
        for parent, candidates in index.parents.items()
        if candidates and candidates[0].test is Test.SINGLE
    }


def table_of(router: Router) -> Table | None:
    """The current table of a router, compiled if need be; None where it changes all the time.

    None, too, where what stands in the place of a list of routes has a say in what comes out of it,
    and where the router's class has one in what its routes are.
    """
    if not can_route():
        return None
    table: Table | None = router.__dict__.get(ATTRIBUTE)
    patience = 1
    if table is not None and table.router is router:
        if not table.is_stale and (not table.is_fragile or table.is_current(router.routes)):
            return table
        if not table.is_used:
            # Changed again before it was of any use: not worth compiling until it rests, and the
            # longer not, the oftener that happens.
            if table.waited < table.patience:
                table.waited += 1
                return None
            patience = min(2 * table.patience, _MOST_PATIENCE)
    if computes(type(router), Router, COMPUTED):
        return None
    if getattr(type(router.routes), "__iter__", None) not in _ITERATIONS:
        return None
    look_closely()
    table = Table(router, patience)
    router.__dict__[ATTRIBUTE] = table
    return table


def names_of(router: Router) -> Names | None:
    """The index of a router's names; None where its routes change all the time."""
    table = table_of(router)
    return None if table is None else table.names()
