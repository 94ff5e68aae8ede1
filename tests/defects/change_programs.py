"""Programs that change routes, mounts and routers while they serve."""

from __future__ import annotations

import copy
import re
from typing import Any

from tests.defects.program import program
from tests.defects.routing_programs import (
    endpoint_as_app,
    endpoint_of,
    mounted,
    route,
)
from tests.fast_path.serving import Names, get


@program
def changed_routes(names: Names) -> Any:
    """Whatever happens to a list of routes, or to a route, holds for the next request."""
    app = mounted(names)
    routes = app.router.routes
    old = route(names, "/old/{x}")
    inner = routes[0].routes[1].app
    new = endpoint_of(names, "new")
    asks = [get(path) for path in ("/one/x", "/one/two/x", "/new", "/old/1", "/one/two/new")] * 3

    def end() -> None:
        del routes[0]

    changes = [
        lambda: routes.append(route(names, "/new", "appended")),
        lambda: routes.insert(0, old),
        lambda: routes.insert(0, route(names, "/new", "inserted")),
        lambda: inner.routes.append(route(names, "/new", "below")),
        lambda: inner.routes.insert(0, route(names, "/x", "earlier")),
        lambda: setattr(old, "methods", {"POST"}),
        lambda: setattr(old, "methods", None),
        lambda: setattr(old, "endpoint", new),
        lambda: setattr(old, "path_regex", re.compile("^/new/(?P<x>1)$")),
        lambda: setattr(old, "app", endpoint_as_app(names)),
        lambda: setattr(app.router.routes[-1], "methods", {"GET"}),
        lambda: routes.pop(0),
        lambda: routes.reverse(),
        lambda: routes.sort(key=lambda one: getattr(one, "path", "")),
        lambda: setattr(inner, "routes", [route(names, "/x", "assigned")]),
        lambda: inner.routes.append(route(names, "/new", "plain list")),
        end,
    ]
    return app, [*asks, *(step for change in changes for step in (change, *asks))]


@program
def routes_that_stand_before_a_mount(names: Names) -> Any:
    """A route is chosen before the mount that stands after it, also once that was entered."""
    below = names.Mount("/two", routes=[route(names, "/x/y", "below"), route(names, "/z", "z")])
    app = names.Starlette(
        routes=[
            names.Mount("/other", routes=[route(names, "/x", "other")]),
            route(names, "/one/{a}", "before"),
            names.Mount("/one", routes=[route(names, "/two/{b}", "within"), below]),
        ]
    )
    paths = ("/other/x", "/one/two/x/y", "/one/x", "/one/two", "/one/two/z", "/one/two/q")
    return app, [get(path) for path in paths * 3]


@program
def changed_lists(names: Names) -> Any:
    """Each way to change a list of routes shows in who answers next."""
    app = names.Starlette(routes=[route(names, "/{x}", str(number)) for number in range(9)])
    routes = app.router.routes

    def named(*labels: str) -> list[Any]:
        return [route(names, "/{x}", label) for label in labels]

    def delete() -> None:
        del routes[0]

    def assign(index: Any, value: Any) -> None:
        routes[index] = value

    changes = [
        lambda: routes.sort(key=lambda one: one.name, reverse=True),
        routes.reverse,
        delete,
        lambda: routes.insert(0, *named("inserted")),
        lambda: assign(0, *named("replaced")),
        lambda: assign(slice(0, 2), named("in place of two")),
        lambda: routes.pop(0),
        lambda: routes.remove(routes[0]),
        routes.clear,
        lambda: routes.extend(named("extended")),
        routes.clear,
        lambda: routes.__iadd__(named("added")),
        routes.clear,
        lambda: routes.append(*named("appended")),
        lambda: routes.__imul__(0),
    ]
    asks = [get("/a")] * 3
    return app, [*asks, *(step for change in changes for step in (change, *asks))]


@program
def deleted_attributes(names: Names) -> Any:
    """What was deleted from a route or a mount is missed by the next request."""
    one = route(names, "/one")
    mount = names.Mount("/two", routes=[route(names, "/x")])
    app = names.Starlette(routes=[mount, one])
    asks = [get("/one"), get("/two/x")]

    def delete(thing: Any, name: str) -> Any:
        return lambda: delattr(thing, name)

    changes = [(mount.app, "middleware_stack"), (mount, "app"), (one, "path_regex")]
    steps = [step for thing, name in changes for step in (delete(thing, name), *asks)]
    return app, [*asks * 3, *steps]


@program
def replaced_routers(names: Names) -> Any:
    """What stands in the place of a router, or before it, is called by the next request."""
    inner = names.Mount("/two", routes=[route(names, "/x")])
    outer = names.Mount("/one", routes=[inner])
    dynamic = names.Mount("/{a}/below", routes=[route(names, "/x")])
    app = names.Starlette(routes=[outer, dynamic])
    asks = [get("/one/two/x"), get("/a/below/x")] * 3
    instead = endpoint_as_app(names)
    kept = inner.app.middleware_stack
    changes = [
        lambda: setattr(inner.app, "middleware_stack", instead),
        lambda: setattr(inner.app, "middleware_stack", kept),
        lambda: setattr(outer.app, "middleware_stack", instead),
        lambda: setattr(outer.app, "middleware_stack", outer.app.app),
        lambda: setattr(dynamic.app, "middleware_stack", instead),
        lambda: setattr(inner, "app", instead),
        lambda: setattr(outer, "app", names.Router([route(names, "/two/x", "another")])),
        lambda: setattr(app.router, "middleware_stack", instead),
    ]
    return app, [*asks, *(step for change in changes for step in (change, *asks))]


@program
def copied_routers(names: Names) -> Any:
    """A copy of a router serves its own routes."""
    router = names.Router([route(names, "/{x}", "original")])
    apps = [router]

    def copied() -> None:
        apps.append(copy.copy(router))
        apps[1].routes = [route(names, "/{x}", "of the copy")]
        apps[1].middleware_stack = apps[1].app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[-1 if scope["query_string"] else 0](scope, receive, send)

    asks = [get("/a"), get("/a", query=b"copy")]
    return app, [*asks * 3, copied, *asks * 3]


@program
def changed_methods_in_place(names: Names) -> Any:
    """The methods of a route are a set, to which one may be added."""
    one = route(names, "/one")
    app = names.Starlette(routes=[one])
    asks = [get("/one", method=method) for method in ("GET", "PUT")]
    return app, [*asks * 3, lambda: one.methods.add("PUT"), *asks]


@program
def overridden_methods(names: Names) -> Any:
    """A route that has methods of its own is asked, also once they are gone again."""
    app = names.Starlette(routes=[route(names, "/one"), route(names, "/{two}")])
    first = app.router.routes[0]
    second = type(first).matches

    def never(scope: Any) -> Any:
        answer, child = second(app.router.routes[1], scope)
        return type(answer).NONE, child

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await names.PlainTextResponse("handled")(scope, receive, send)

    def restore() -> None:
        del first.matches

    def forget() -> None:
        del first.handle

    asks = [get("/one"), get("/two")] * 3
    steps = [*asks, lambda: setattr(first, "matches", never), *asks, restore, *asks]
    return app, [*steps, lambda: setattr(first, "handle", handle), *asks, forget, *asks]


@program
def convertor_that_is_replaced(names: Names) -> Any:
    """A convertor put in the place of a route's, and one that raises, hold at once."""
    one = route(names, "/i/{a:int}")
    mount = names.Mount("/m", routes=[route(names, "/{b:int}")])

    class Failing:
        def convert(self, value: str) -> Any:
            raise LookupError(value)

    def replace() -> None:
        one.param_convertors["a"] = Failing()
        mount.param_convertors["path"] = Failing()

    app = names.Starlette(routes=[one, mount])
    asks = [get("/i/7"), get("/m/7")]
    return app, [*asks * 3, replace, *asks]
