"""Route names: from a name to the few routes that can answer to it, in their order.

Starlette asks each route for its path, and each that has another name raises. A route answers to
its own name, a mount or host with a name to that name and to any that begins with it and a colon,
one without a name to any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import Host, Mount, NoMatchFound, Route, WebSocketRoute

from turbostar._guard.classes import namespace
from turbostar._guard.sources import is_known
from turbostar._routing.entries import Memo

__all__ = ["Names", "first_path"]

_BASES = (Route, WebSocketRoute, Mount, Host)
# Asked as they stand there: wrapt's wrappers are others each time they are got from a class.
_route, _socket, _mount, _host = map(namespace, _BASES)


class Names:
    """An index of routes by what they can be called."""

    __slots__ = ("_by_name", "_by_prefix", "_host", "_mount", "_others", "_route", "_socket")

    def __init__(self, routes: Iterable[Any]) -> None:
        self._route = _route["url_path_for"]
        self._socket = _socket["url_path_for"]
        self._mount = _mount["url_path_for"]
        self._host = _host["url_path_for"]
        self._by_name: dict[Any, list[tuple[int, Any]]] = {}
        self._by_prefix: dict[Any, list[tuple[int, Any]]] = {}
        self._others: list[tuple[int, Any]] = []
        for number, route in enumerate(routes):
            base = _known_base(route)
            if base is None or (base in (Mount, Host) and route.name is None):
                self._others.append((number, route))
                continue
            self._by_name.setdefault(route.name, []).append((number, route))
            if base in (Mount, Host):
                self._by_prefix.setdefault(route.name, []).append((number, route))

    def is_current(self) -> bool:
        """Whether Starlette's ``url_path_for`` methods are those that were relied on."""
        return (
            _route["url_path_for"] is self._route
            and _socket["url_path_for"] is self._socket
            and _mount["url_path_for"] is self._mount
            and _host["url_path_for"] is self._host
        )

    def candidates(self, name: str) -> list[Any]:
        """Return the routes that can answer to `name`, in their order."""
        if not self._others and ":" not in name:
            return [route for _, route in self._by_name.get(name, ())]
        found = [*self._by_name.get(name, ()), *self._others]
        colon = name.find(":")
        while colon >= 0:
            found += self._by_prefix.get(name[:colon], ())
            colon = name.find(":", colon + 1)
        if len(found) > 1:
            found = sorted(dict(found).items())
        return [route for _, route in found]


def first_path(names: Names, name: str, path_params: dict[str, Any]) -> URLPath:
    """Return the path of the first route that answers to the name with these parameters.

    Raises:
        NoMatchFound: no route does.
    """
    for route in names.candidates(name):
        try:
            path: URLPath = route.url_path_for(name, **path_params)
            return path
        except NoMatchFound:
            continue
    raise NoMatchFound(name, path_params)


def _known_base(route: Any) -> type | None:
    """The class of Starlette's that the route is named like, or None if it may answer to any."""
    cls: Any = type(route)
    base: type | None = Memo().base_of(cls)
    if (
        base is None
        or "url_path_for" in route.__dict__
        or not isinstance(getattr(route, "name", route), str | None)
        or not is_known(cls.url_path_for, base, "url_path_for")
    ):
        return None
    return base
