"""What a user may do to the list `router.routes`, of whichever router."""

from __future__ import annotations

from typing import Any

from tests.differential.change import LISTS, Change, change, router_of, routes_of
from tests.differential.tables import APPS, Choices, item, path, route, table
from tests.differential.world import World


def _fits(number: int, routes: Any) -> int:
    return number % len(routes) if routes else 0


def _one(choose: Choices) -> Any:
    return item(choose, 1) if choose.seldom(3) else route(choose)


def _few(choose: Choices) -> Any:
    return table(choose, 1, 3)


@change("append", LISTS, _one)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).append(world.route(step.value))


@change("insert", LISTS, _one)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).insert(step.to, world.route(step.value))


@change("insert first", LISTS, _one)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).insert(0, world.route(step.value))


@change("remove", LISTS)
def _(world: World, step: Change) -> Any:
    routes = routes_of(world, step)
    routes.remove(routes[_fits(step.to, routes)])


@change("delete", LISTS)
def _(world: World, step: Change) -> Any:
    routes = routes_of(world, step)
    del routes[_fits(step.to, routes)]


@change("pop", LISTS)
def _(world: World, step: Change) -> Any:
    return routes_of(world, step).pop()


@change("replace an item", LISTS, _one)
def _(world: World, step: Change) -> Any:
    routes = routes_of(world, step)
    routes[_fits(step.to, routes)] = world.route(step.value)


@change("swap two items", LISTS)
def _(world: World, step: Change) -> Any:
    routes = routes_of(world, step)
    one, two = _fits(step.to, routes), _fits(step.to + 1, routes)
    routes[one], routes[two] = routes[two], routes[one]


@change("sort", LISTS)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).sort(
        key=lambda item: getattr(item, "path", ""), reverse=step.to % 2 == 1
    )


@change("reverse", LISTS)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).reverse()


@change("assign a slice", LISTS, _few)
def _(world: World, step: Change) -> Any:
    routes = routes_of(world, step)
    start = _fits(step.to, routes)
    routes[start : start + 2] = [world.route(described) for described in step.value]


@change("delete a slice", LISTS)
def _(world: World, step: Change) -> Any:
    del routes_of(world, step)[step.to % 3 :: 2]


@change("clear", LISTS)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).clear()


@change("extend", LISTS, _few)
def _(world: World, step: Change) -> Any:
    routes_of(world, step).extend([world.route(described) for described in step.value])


@change("add in place", LISTS, _few)
def _(world: World, step: Change) -> Any:
    router_of(world, step).routes += [world.route(described) for described in step.value]


@change("multiply in place", LISTS)
def _(world: World, step: Change) -> Any:
    router_of(world, step).routes *= step.to % 3


class Routes(list[Any]):
    """Somebody's own kind of list."""

    def __iter__(self) -> Any:
        return iter([self[index] for index in reversed(range(len(self)))])


@change("assign the list", LISTS, _few)
def _(world: World, step: Change) -> Any:
    kind = (list, tuple, Routes, list)[step.to % 4]
    old = router_of(world, step).routes
    router_of(world, step).routes = kind([*map(world.route, step.value), *old])
    world.lists.append(old)


@change("share another router's list", LISTS)
def _(world: World, step: Change) -> Any:
    other = world.routers[step.to % len(world.routers)]
    # Not one that might hold this router: without a prefix that would never end.
    if not any(hasattr(route, "routes") for route in other.routes):
        router_of(world, step).routes = other.routes


@change("hold itself", LISTS)
def _(world: World, step: Change) -> Any:
    changed = router_of(world, step)
    changed.mount("/b", changed, "itself")
    world.routes.append(world.named(changed.routes[-1], "itself"))


@change("change a list once assigned", LISTS, _one)
def _(world: World, step: Change) -> Any:
    world.lists[-1 - step.to % len(world.lists)].append(world.route(step.value))


@change("add by the app's helper", LISTS, lambda choose: (path(choose), choose.of(APPS)))
def _(world: World, step: Change) -> Any:
    target = world.apps[-1] if world.apps else router_of(world, step)
    at, app = step.value
    match step.to % 4:
        case 0:
            target.add_route(at, world.endpoint("async"), ["GET", "POST"], "helped")
        case 1:
            target.mount(at, world.app(app), "helped")
        case 2:
            target.host("a.example", world.app(app), "helped")
        case 3:
            target.router.add_websocket_route(at, world.endpoint("ws_echo"))
    world.routes.append(world.named(target.routes[-1], "helped"))
