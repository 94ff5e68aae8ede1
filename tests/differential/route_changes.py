"""What a user may do to a route: its attributes, its class, its methods."""

from __future__ import annotations

import copy
import re
from typing import Any

from starlette.convertors import IntegerConvertor, StringConvertor
from starlette.routing import compile_path

from tests.differential import convertors, flavours, parts
from tests.differential.change import ATTRIBUTES, OVERRIDES, Change, change, route_of
from tests.differential.tables import FLAVOURS, path, router
from tests.differential.world import World


@change("path_regex", ATTRIBUTES, path)
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    changed.path_regex, _, changed.param_convertors = compile_path(step.value)


@change("path_regex, flags", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    changed.path_regex = re.compile(changed.path_regex.pattern, re.IGNORECASE)


@change("everything of the path", ATTRIBUTES, path)
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    changed.path = step.value
    changed.path_regex, changed.path_format, changed.param_convertors = compile_path(step.value)


@change("path", ATTRIBUTES, path)
def _(world: World, step: Change) -> Any:
    route_of(world, step).path = step.value


@change("path_format", ATTRIBUTES, path)
def _(world: World, step: Change) -> Any:
    route_of(world, step).path_format = step.value


@change("param_convertors", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    kind = (StringConvertor, IntegerConvertor)[step.to % 2]
    route_of(world, step).param_convertors = {name: kind() for name in "abcd"} | {"path": kind()}


@change("param_convertors in place", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    known = route_of(world, step).param_convertors
    for name in known:
        known[name] = convertors.Telling("new", "x", world.log)


METHODS = (("GET",), ["POST"], None, (), {"PUT"}, frozenset({"GET", "POST"}), ["get"])


@change("methods", ATTRIBUTES, lambda choose: choose.of(METHODS))
def _(world: World, step: Change) -> Any:
    # A copy, for what is changed in place next must not be what others are given.
    route_of(world, step).methods = copy.copy(step.value)


@change("methods in place", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    methods = route_of(world, step).methods
    return methods.discard("GET") if step.to % 2 else methods.add("POST")


@change("endpoint", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    route_of(world, step).endpoint = world.endpoint("plain")


@change("app", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    if step.to % 2:
        changed.app = parts.LAYERS["pure"](changed.app, world, world.label("wrapping"))
    else:
        changed.app = world.app("asgi")


@change("app, a router", ATTRIBUTES, lambda choose: router(choose, 0))
def _(world: World, step: Change) -> Any:
    route_of(world, step).app = world.router(step.value)


@change("name", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    route_of(world, step).name = ("one", None, "m", "changed")[step.to % 4]


@change("host_regex", ATTRIBUTES)
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    if hasattr(changed, "host_regex"):
        changed.host_regex = re.compile("^(?P<a>[a-z]+)[.].*$")
        changed.param_convertors = {"a": StringConvertor()}


@change("class", OVERRIDES, lambda choose: choose.of(FLAVOURS[:8]))
def _(world: World, step: Change) -> Any:
    changed = route_of(world, step)
    changed.__class__ = flavours.derive(type(changed), step.value)


@change("a method of the instance", OVERRIDES, lambda choose: choose.of(FLAVOURS[8:]))
def _(world: World, step: Change) -> Any:
    flavours.change(world, route_of(world, step), step.value)
