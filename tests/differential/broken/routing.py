"""Routers and routes that are wrong in one respect each, for the tests of these tests."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable
from typing import Any
from unittest import mock

from starlette import routing
from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.responses import Response
from starlette.routing import Match, Mount, NoMatchFound, Route, Router

from tests.differential.broken.register import Patched, broken

_app, _matches, _handle = Router.app, Route.matches, Route.handle
_compile_path, _request_response = routing.compile_path, routing.request_response


def _routes_seen_by(change: Callable[[Router], Any]) -> Patched:
    """Run `Router.app` with other routes than the router has."""

    async def app(self: Router, scope: Any, receive: Any, send: Any) -> None:
        copy = object.__new__(type(self))
        vars(copy).update(vars(self), routes=change(self))
        scope.setdefault("router", self)
        await _app(copy, scope, receive, send)

    return mock.patch.object(Router, "app", app)


@broken("requests")
def answers_the_last_match() -> Patched:
    return _routes_seen_by(lambda router: router.routes[::-1])


@broken("changed lists")
def freezes_its_routes() -> Patched:
    return _routes_seen_by(lambda router: vars(router).setdefault("frozen", list(router.routes)))


@broken("changed lists")
def notices_only_another_length() -> Patched:
    def routes(router: Router) -> Any:
        key = "frozen", len(router.routes)
        return vars(router).setdefault(str(key), list(router.routes))

    return _routes_seen_by(routes)


@broken("changed lists")
def notices_only_another_list() -> Patched:
    kept: dict[int, Any] = {}

    def routes(router: Router) -> Any:
        _, known = kept.setdefault(id(router.routes), (router.routes, list(router.routes)))
        return known

    return _routes_seen_by(routes)


def _route(**methods: Any) -> Patched:
    return mock.patch.multiple(Route, **methods)


@broken("requests")
def shares_path_params() -> Patched:
    kept: dict[str, Any] = {}

    def matches(self: Route, scope: Any) -> Any:
        match, child_scope = _matches(self, scope)
        if match is not Match.NONE:
            known = vars(self).setdefault("known", kept.copy())
            key = repr(sorted(child_scope["path_params"].items(), key=repr))
            child_scope["path_params"] = known.setdefault(key, child_scope["path_params"])
        return match, child_scope

    return _route(matches=matches)


@broken("requests")
def loses_the_newline_rule() -> Patched:
    def compile_path(path: str) -> Any:
        regex, *rest = _compile_path(path)
        return re.compile(regex.pattern[:-1] + r"\Z", regex.flags), *rest

    return mock.patch.object(routing, "compile_path", compile_path)


@broken("requests")
def lets_a_parameter_hold_newlines() -> Patched:
    def compile_path(path: str) -> Any:
        regex, *rest = _compile_path(path)
        return re.compile(regex.pattern, regex.flags | re.DOTALL), *rest

    return mock.patch.object(routing, "compile_path", compile_path)


@broken("requests")
def ignores_the_order_of_parameters() -> Patched:
    def matches(self: Route, scope: Any) -> Any:
        match, child_scope = _matches(self, scope)
        if "path_params" in child_scope:
            params = child_scope["path_params"]
            child_scope["path_params"] = dict(sorted(params.items(), reverse=True))
        return match, child_scope

    return _route(matches=matches)


@broken("requests")
def takes_a_partial_match_for_a_full_one() -> Patched:
    def matches(self: Route, scope: Any) -> Any:
        match, child_scope = _matches(self, scope)
        return (Match.FULL if match is Match.PARTIAL else match), child_scope

    return _route(matches=matches)


@broken("requests")
def converts_twice() -> Patched:
    def matches(self: Route, scope: Any) -> Any:
        _matches(self, scope)
        return _matches(self, scope)

    return _route(matches=matches)


@broken("changed routes")
def freezes_methods() -> Patched:
    def matches(self: Route, scope: Any) -> Any:
        methods = vars(self).setdefault("frozen", self.methods and frozenset(self.methods))
        match, child_scope = _matches(self, scope)
        if match is not Match.NONE and scope["type"] == "http":
            allowed = not methods or scope["method"] in methods
            match = Match.FULL if allowed else Match.PARTIAL
        return match, child_scope

    async def handle(self: Route, scope: Any, receive: Any, send: Any) -> None:
        with mock.patch.object(self, "methods", vars(self).get("frozen", self.methods)):
            await _handle(self, scope, receive, send)

    return _route(matches=matches, handle=handle)


@broken("changed routes")
def freezes_patterns() -> Patched:
    def matches(self: Route, scope: Any) -> Any:
        current = self.path_regex, self.param_convertors
        self.path_regex, self.param_convertors = vars(self).setdefault("frozen", current)
        try:
            return _matches(self, scope)
        finally:
            self.path_regex, self.param_convertors = current

    return _route(matches=matches)


@broken("changed routes")
def freezes_apps() -> Patched:
    async def handle(self: Route, scope: Any, receive: Any, send: Any) -> None:
        with mock.patch.object(self, "app", vars(self).setdefault("frozen", self.app)):
            await _handle(self, scope, receive, send)

    return _route(handle=handle)


@broken("other changes")
def keeps_the_old_convertor() -> Patched:
    return mock.patch.object(routing, "compile_path", functools.cache(_compile_path))


@broken("other changes")
def keeps_the_old_stack() -> Patched:
    call = Starlette.__call__

    async def kept(self: Starlette, scope: Any, receive: Any, send: Any) -> None:
        if self.middleware_stack is None:
            self.middleware_stack = vars(self).get("kept")
        await call(self, scope, receive, send)
        self.kept = self.middleware_stack  # type: ignore[attr-defined]

    return mock.patch.object(Starlette, "__call__", kept)


@broken("requests")
def redirects_only_one_slash() -> Patched:
    def replaced(scope: Any) -> Any:
        return scope

    async def app(self: Router, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("//"):
            return await self.default(replaced(scope), receive, send)
        await _app(self, scope, receive, send)

    return mock.patch.object(Router, "app", app)


@broken("requests")
def forgets_the_outer_root_path() -> Patched:
    matches = Mount.matches

    def forgetful(self: Mount, scope: Any) -> Any:
        match, child_scope = matches(self, scope)
        if match is Match.FULL:
            child_scope["app_root_path"] = child_scope["root_path"]
        return match, child_scope

    return mock.patch.object(Mount, "matches", forgetful)


@broken("requests")
def works_on_a_copy_of_the_scope() -> Patched:
    async def app(self: Router, scope: Any, receive: Any, send: Any) -> None:
        await _app(self, dict(scope), receive, send)

    return mock.patch.object(Router, "app", app)


@broken("requests")
def replaces_the_router_in_the_scope() -> Patched:
    async def app(self: Router, scope: Any, receive: Any, send: Any) -> None:
        scope["router"] = self
        await _app(self, scope, receive, send)

    return mock.patch.object(Router, "app", app)


@broken("requests")
def sets_the_scope_in_another_order() -> Patched:
    async def app(self: Router, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("route", None)
        await _app(self, scope, receive, send)

    return mock.patch.object(Router, "app", app)


@broken("requests")
def swaps_the_order_of_headers() -> Patched:
    init_headers = Response.init_headers

    def swapped(self: Response, headers: Any = None) -> None:
        init_headers(self, headers)
        self.raw_headers.reverse()

    return mock.patch.object(Response, "init_headers", swapped)


@broken("requests")
def shares_the_headers_of_errors() -> Patched:
    shared: dict[Any, list[Any]] = {}
    init_headers = Response.init_headers

    def init(self: Response, headers: Any = None) -> None:
        init_headers(self, headers)
        if self.status_code == 404:
            self.raw_headers = shared.setdefault(repr(self.raw_headers), self.raw_headers)

    return mock.patch.object(Response, "init_headers", init)


@broken("urls")
def builds_the_last_url() -> Patched:
    def url_path_for(self: Router, name: str, /, **params: Any) -> URLPath:
        for route in reversed(self.routes):
            with contextlib.suppress(NoMatchFound):
                return route.url_path_for(name, **params)
        raise NoMatchFound(name, params)

    return mock.patch.object(Router, "url_path_for", url_path_for)
