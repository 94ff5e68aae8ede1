"""What a user may do to routers, applications, their middleware stack, and the convertors."""

from __future__ import annotations

from typing import Any

from starlette.convertors import register_url_convertor

from tests.differential import convertors, flavours, parts
from tests.differential.change import OTHERS, Change, change, router_of, routes_of
from tests.differential.tables import APPS, HANDLED, Choices, R, router
from tests.differential.world import World


@change("redirect_slashes", OTHERS)
def _(world: World, step: Change) -> Any:
    changed = router_of(world, step)
    changed.redirect_slashes = not changed.redirect_slashes


@change("default", OTHERS, lambda choose: choose.of(APPS))
def _(world: World, step: Change) -> Any:
    router_of(world, step).default = world.app(step.value)


@change("not_found", OTHERS)
def _(world: World, step: Change) -> Any:
    router_of(world, step).not_found = world.app("asgi")  # no effect: bound when it was built


@change("middleware_stack of a router", OTHERS)
def _(world: World, step: Change) -> Any:
    changed = router_of(world, step)
    inner = changed.middleware_stack if step.to % 2 else changed.app
    changed.middleware_stack = parts.LAYERS["pure"](inner, world, world.label("around"))


@change("app of a router", OTHERS)
def _(world: World, step: Change) -> Any:
    router_of(world, step).app = world.app("asgi")


@change("router", OTHERS, lambda choose: router(choose, 0))
def _(world: World, step: Change) -> Any:
    world.apps[step.at % len(world.apps)].router = world.router(step.value)


@change("exception_handlers", OTHERS, lambda choose: choose.of(HANDLED))
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    handler = world.handler("async")
    if step.to % 2:
        app.add_exception_handler(parts.KEYS.get(step.value, step.value), handler)
    else:
        app.exception_handlers = {parts.KEYS.get(step.value, step.value): handler}


@change("debug", OTHERS)
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    app.debug = not app.debug
    world.debug = True


@change("middleware_stack reset", OTHERS)
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    app.add_exception_handler(404 + step.to % 2, world.handler("async"))
    app.middleware_stack = None  # it is built anew, with what has been added


@change("middleware_stack wrapped", OTHERS)
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    stack = app.middleware_stack or app.build_middleware_stack()
    app.middleware_stack = parts.LAYERS["headers"](stack, world, world.label("outermost"))


@change("build_middleware_stack of the instance", OTHERS)
def _(world: World, step: Change) -> Any:
    flavours.change(world, world.apps[-1 - step.at % len(world.apps)], "own_build")


@change("add_middleware", OTHERS)
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    app.add_middleware(parts.LAYERS["pure"], world, world.label("added"))


@change("user_middleware", OTHERS)
def _(world: World, step: Change) -> Any:
    app = world.apps[-1 - step.at % len(world.apps)]
    app.user_middleware.append(world.ns.Middleware(parts.LAYERS["pure"], world, "appended"))


@change("a handler within the stack", OTHERS, lambda choose: choose.of(HANDLED))
def _(world: World, step: Change) -> Any:
    layer = world.apps[-1 - step.at % len(world.apps)].middleware_stack
    while not hasattr(layer, "add_exception_handler"):
        layer = layer.app
    layer.add_exception_handler(parts.KEYS.get(step.value, step.value), world.handler("async"))


@change("an app within the stack", OTHERS)
def _(world: World, step: Change) -> Any:
    layer = world.apps[-1 - step.at % len(world.apps)].middleware_stack
    for _ in range(step.to % 3):
        layer = layer.app
    layer.app = parts.LAYERS["pure"](layer.app, world, world.label("slipped in"))


@change("the handler of errors", OTHERS)
def _(world: World, step: Change) -> Any:
    layer = world.apps[-1 - step.at % len(world.apps)].middleware_stack
    layer.handler = world.handler("async")
    layer.debug = False


CONVERTED = ("int", "int", "str", "path", "picky", "new")
REPLACEMENTS = ("doubling", "telling", "signed", "wide", "word")


def _registration(choose: Choices) -> Any:
    name = choose.of(CONVERTED)
    template = choose.of(("/{a:%s}", "/a/{a:%s}", "/a{a:%s}")) % name
    return name, choose.of(REPLACEMENTS), template


@change("a convertor registered", OTHERS, _registration)
def _(world: World, step: Change) -> Any:
    name, replacement, template = step.value
    # Routes built before it keep the old one, those built after it take the new one.
    older = [world.route(R(template))] if name != "new" else []
    register_url_convertor(name, convertors.replacements(world.log)[replacement])
    newer = [world.route(R(template))]
    routes_of(world, step)[:0] = older + newer if step.to % 2 else newer + older
