"""Requests derived from the routes of an application, for want of recorded ones."""

from __future__ import annotations

import os
import pathlib
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.unsafe import count_and_methods, may_change

__all__ = ["derive_requests"]

_UNKNOWN_PATH = "/no-such-path"
# Tried in turn as the method that a route has not; those that change nothing come first.
_METHODS = ("OPTIONS", "HEAD", "GET", "DELETE", "PATCH", "PUT", "POST")
_WITH_BODY = {"POST", "PUT", "PATCH"}
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
# Tried in turn as the value of a path parameter until its convertor takes one.
_SAMPLES = (
    "1",  # an identifier, also where the handler and not the convertor wants an integer
    "1.5",
    "3f0c2a44-8a1e-4b57-9d36-5a2f7be01c11",
    "2024-05-17",
    "2024-05-17T12:30:00",
    "10:30",
    "en",
    "a",
    "A",
    "abc123",
    "sample",
    "true",
    "sample/path.txt",
)
# More wrappers around each other than anyone writes: one wraps itself.
_MAX_WRAPPERS = 50


class _Place(msgspec.Struct, frozen=True):
    """Where in the application a route stands."""

    prefix: str = ""
    host: str | None = None
    entered: frozenset[int] = frozenset()  # ids of the lists of routes on the way here


def derive_requests(app: Any, *, unsafe: bool = False) -> tuple[list[RecordedRequest], list[str]]:
    """Requests that reach every route of an application, and notes on what is not requested.

    Only those with GET, HEAD and OPTIONS are for sending, unless `unsafe` asks for the others, too.

    Mounts, hosts and routers are entered, middleware wrapped around them is seen through. Each
    route gets its methods, one it does not have, a toggled trailing slash and, if it ends in a
    parameter, a value that hardly fits. WebSocket routes are opened and closed.
    """
    notes: list[str] = []
    routes = _routes_of(app)
    if routes is None:
        notes.append("the application shows no routes: only / and an unknown path are requested")
        found = [_http("GET", "/", _Place())]
    else:
        found = list(_walk(routes, _Place(), notes))
    found.append(_http("GET", _UNKNOWN_PATH, _Place()))
    unique = {(one.method, one.path, one.headers, one.websocket): one for one in found}
    if not unsafe and (left_out := may_change(unique.values())):
        count = count_and_methods(left_out, "derived ")
        them = "them" if len(left_out) > 1 else "it"
        notes.append(f"{count} not sent; --unsafe-methods sends {them}")
        unique = {key: one for key, one in unique.items() if one not in left_out}
    return list(unique.values()), notes


def _routes_of(app: Any) -> Sequence[Any] | None:
    """The routes of an application, or of the one that middleware has been wrapped around.

    A mount of an application without routes, or of wrapped middleware, gives an empty list of them.
    """
    for _ in range(_MAX_WRAPPERS):
        routes = getattr(app, "routes", None)
        if isinstance(routes, list | tuple) and routes:
            return routes
        # FastAPI keeps an included router whole, in this attribute of a route of its own.
        app = getattr(app, "original_router", None) or getattr(app, "app", None)
        if app is None:
            return None
    return None


def _walk(routes: Sequence[Any], place: _Place, notes: list[str]) -> Iterator[RecordedRequest]:
    place = msgspec.structs.replace(place, entered=place.entered | {id(routes)})
    for route in routes:
        children = None if hasattr(route, "endpoint") else _routes_of(route)
        if id(children) in place.entered:
            continue
        inner = _enter(route, place, notes)
        if inner is None:
            continue
        if children is not None:
            yield from _walk(children, inner, notes)
            # A mount answers every path below it, an unknown one too.
            if inner.prefix != place.prefix:
                yield _http("GET", inner.prefix, inner)
                yield _http("GET", inner.prefix + _UNKNOWN_PATH, inner)
        elif hasattr(route, "endpoint") or hasattr(route, "methods"):
            yield from _requests_for(route, inner)
        elif hasattr(route, "app"):
            yield from _opaque(route.app, inner)


def _enter(route: Any, place: _Place, notes: list[str]) -> _Place | None:
    """The place inside a route, with samples for its parameters; None if no sample fits."""
    convertors = getattr(route, "param_convertors", {})
    host = getattr(route, "host_format", None)
    if isinstance(host, str):
        filled = _fill(host, convertors, place, notes)
        return None if filled is None else msgspec.structs.replace(place, host=filled)
    filled = _fill(_path_of(route), convertors, place, notes)
    if filled is None:
        return None
    return msgspec.structs.replace(place, prefix=place.prefix + _quoted(filled))


def _path_of(route: Any) -> str:
    """The path of a route or mount, with its parameters in braces."""
    # A mount's path_format ends in a parameter that its path does not show.
    path = getattr(route, "path_format", None) if hasattr(route, "endpoint") else None
    if path is None:
        path = getattr(route, "path", None)
    if path is None:  # FastAPI's included routers
        path = getattr(getattr(route, "include_context", None), "prefix", None)
    return path if isinstance(path, str) else ""


def _fill(pattern: str, convertors: Any, place: _Place, notes: list[str]) -> str | None:
    """The pattern with a sample in the place of each parameter."""
    filled = pattern
    for match in _PARAMETER.finditer(pattern):
        sample = _sample(convertors.get(match[1]) if isinstance(convertors, dict) else None)
        if sample is None:
            where = f"{place.prefix}{pattern}"
            notes.append(f"not requested: {where} (no sample fits the parameter {match[1]!r})")
            return None
        filled = filled.replace(match[0], sample, 1)
    return filled


def _sample(convertor: Any) -> str | None:
    regex = getattr(convertor, "regex", None)
    if not isinstance(regex, str):
        return _SAMPLES[0]
    if regex == ".*":
        return _SAMPLES[-1]
    return next((sample for sample in _SAMPLES if _converts(convertor, regex, sample)), None)


def _converts(convertor: Any, regex: str, sample: str) -> bool:
    if not re.fullmatch(regex, sample):
        return False
    try:
        convertor.convert(sample)
    except Exception:  # whatever a convertor of the user raises, the sample does not fit
        return False
    return True


def _quoted(path: str) -> str:
    return urllib.parse.quote(path, safe="/:@!$&'()*+,;=~-._")


def _requests_for(route: Any, place: _Place) -> Iterator[RecordedRequest]:
    path = place.prefix or "/"
    if not hasattr(route, "methods"):
        yield _websocket(path, place)
        yield _http("GET", path, place)
        return
    methods = sorted(route.methods or ("GET", "POST"))
    for method in methods:
        yield _http(method, path, place)
    wrong = next((method for method in _METHODS if method not in methods), None)
    if wrong is not None and route.methods:
        yield _http(wrong, path, place)
    if path != "/":
        yield _http("GET", path[:-1] if path.endswith("/") else f"{path}/", place)
    unfit = _unfit(route, path)
    if unfit is not None:
        yield _http(methods[0], unfit, place)


def _unfit(route: Any, path: str) -> str | None:
    """The path with a last segment that few convertors or handlers take, if it is a parameter."""
    pattern = getattr(route, "path_format", "")
    match = re.search(r"{(\w+)}/?$", pattern)
    convertor = getattr(route, "param_convertors", {}).get(match[1]) if match else None
    if getattr(convertor, "regex", ".*") == ".*":
        return None
    return path.rstrip("/").rpartition("/")[0] + "/no-fit"


def _opaque(app: Any, place: _Place) -> Iterator[RecordedRequest]:
    """Requests for a mounted application that shows no routes, such as one for static files."""
    yield _http("GET", f"{place.prefix}/", place)
    yield _http("GET", place.prefix + _UNKNOWN_PATH, place)
    file = _first_file(getattr(app, "directory", None))
    if file is not None:
        for method in ("GET", "HEAD", "POST"):
            yield _http(method, f"{place.prefix}/{_quoted(file)}", place)


def _first_file(directory: Any) -> str | None:
    if not isinstance(directory, str | os.PathLike):
        return None
    path = pathlib.Path(os.fsdecode(directory))
    if not path.is_dir():
        return None
    return min((entry.name for entry in path.iterdir() if entry.is_file()), default=None)


def _headers(place: _Place) -> tuple[tuple[str, str], ...]:
    return (("host", place.host),) if place.host else ()


def _http(method: str, path: str, place: _Place) -> RecordedRequest:
    headers, body = _headers(place), b""
    if method in _WITH_BODY:
        headers, body = (*headers, ("content-type", "application/json")), b"{}"
    return RecordedRequest(
        name=f"{method} {path}", method=method, path=path, headers=headers, body=body
    )


def _websocket(path: str, place: _Place) -> RecordedRequest:
    return RecordedRequest(
        name=f"WEBSOCKET {path}", path=path, headers=_headers(place), websocket=()
    )
