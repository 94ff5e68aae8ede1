"""Subclasses, and changed instances, of routes, routers and applications."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from starlette.routing import Match, NoMatchFound

if TYPE_CHECKING:
    from tests.differential.world import World


def _log(self: Any, *event: Any) -> None:
    # Attributes set after construction: a subclass may be asked while its base is being built.
    world = getattr(self, "world", None)
    if world is not None:
        world.log.append((*event, world.labels.of(self)))


def _matches(base: type) -> dict[str, Any]:
    def matches(self: Any, scope: Any) -> Any:
        _log(self, "matches", scope.get("path"))
        return base.matches(self, scope)  # type: ignore[attr-defined]

    return {"matches": matches}


def _picky(base: type) -> dict[str, Any]:
    def matches(self: Any, scope: Any) -> Any:
        _log(self, "matches", scope.get("path"))
        if b"pick" not in scope.get("query_string", b""):
            return Match.NONE, {}
        return base.matches(self, scope)  # type: ignore[attr-defined]

    return {"matches": matches}


def _partial(base: type) -> dict[str, Any]:
    def matches(self: Any, scope: Any) -> Any:
        match, child_scope = base.matches(self, scope)  # type: ignore[attr-defined]
        return (Match.PARTIAL if match is Match.FULL else match), child_scope

    return {"matches": matches}


def _extra(base: type) -> dict[str, Any]:
    def matches(self: Any, scope: Any) -> Any:
        match, child_scope = base.matches(self, scope)  # type: ignore[attr-defined]
        return match, {"extra": self.world.labels.of(self), **child_scope}

    return {"matches": matches}


def _touch(base: type) -> dict[str, Any]:
    def matches(self: Any, scope: Any) -> Any:
        scope["touched"] = scope.get("touched", 0) + 1
        return base.matches(self, scope)  # type: ignore[attr-defined]

    return {"matches": matches}


def _handle(base: type) -> dict[str, Any]:
    async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
        _log(self, "handle", list(scope))
        await base.handle(self, scope, receive, send)  # type: ignore[attr-defined]
        _log(self, "handled")

    return {"handle": handle}


def _url(base: type) -> dict[str, Any]:
    def url_path_for(self: Any, name: str, /, **params: Any) -> Any:
        _log(self, "url_path_for", name)
        return base.url_path_for(self, name.removeprefix("special-"), **params)  # type: ignore[attr-defined]

    return {"url_path_for": url_path_for}


def _router_app(base: type) -> dict[str, Any]:
    async def app(self: Any, scope: Any, receive: Any, send: Any) -> None:
        _log(self, "app", list(scope))
        await base.app(self, scope, receive, send)  # type: ignore[attr-defined]

    return {"app": app}


def _call(base: type) -> dict[str, Any]:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        _log(self, "call", list(scope))
        await base.__call__(self, scope, receive, send)  # type: ignore[operator]

    return {"__call__": call}


def _not_found(base: type) -> dict[str, Any]:
    async def not_found(self: Any, scope: Any, receive: Any, send: Any) -> None:
        _log(self, "not_found", list(scope))
        await base.not_found(self, scope, receive, send)  # type: ignore[attr-defined]

    return {"not_found": not_found}


def _build(base: type) -> dict[str, Any]:
    def build_middleware_stack(self: Any) -> Any:
        _log(self, "build_middleware_stack")
        return base.build_middleware_stack(self)  # type: ignore[attr-defined]

    return {"build_middleware_stack": build_middleware_stack}


OVERRIDES: dict[str, Any] = {
    "sub": lambda base: {},
    "matches": _matches,
    "picky": _picky,
    "partial": _partial,
    "extra": _extra,
    "touch": _touch,
    "handle": _handle,
    "url": _url,
    "app": _router_app,
    "call": _call,
    "not_found": _not_found,
    "build": _build,
}
_derived: dict[tuple[type, str], type] = {}


def derive(base: Any, flavour: str) -> Any:
    """The subclass of `base` that a flavour names; for a plain one, `base` itself.

    A subclass is made once, so that it is older than the `install()` of any later test.
    """
    if flavour not in OVERRIDES:
        return base
    key = base, flavour
    if key not in _derived:
        name = f"{flavour.title()}{base.__name__}"
        _derived[key] = type(name, (base,), OVERRIDES[flavour](base))
    return _derived[key]


def change(world: World, thing: Any, flavour: str) -> None:
    """Override a method on one instance, where its flavour says so."""
    thing.world = world
    if not flavour.startswith("own_"):
        return
    name = {"own_build": "build_middleware_stack", "own_url": "url_path_for"}.get(
        flavour, flavour.removeprefix("own_")
    )
    bound = getattr(thing, name)

    @functools.wraps(bound)
    def own(*args: Any, **kwargs: Any) -> Any:
        _log(thing, "own", name)
        return bound(*args, **kwargs)

    setattr(thing, name, own)


def prefix_route(world: World, prefix: str) -> Any:
    """A route without a pattern: a direct subclass of BaseRoute."""

    class Prefixed(world.ns.BaseRoute):  # type: ignore[misc, name-defined]
        def matches(self, scope: Any) -> Any:
            _log(self, "matches", scope.get("path"))
            if scope["type"] == "http" and scope["path"].startswith(prefix):
                return Match.FULL, {"prefix": prefix}
            return Match.NONE, {}

        def url_path_for(self, name: str, /, **path_params: Any) -> Any:
            _log(self, "url_path_for", name)
            raise NoMatchFound(name, path_params)

        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            _log(self, "handle", list(scope))
            await world.ns.PlainTextResponse(prefix)(scope, receive, send)

    return Prefixed()
