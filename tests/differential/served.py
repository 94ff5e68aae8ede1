"""Applications of one endpoint with middleware in some place, described in a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.brief import Brief
from tests.differential.middleware.forms import based
from tests.differential.part import Part
from tests.differential.tables import AppOf, M, R, RouterOf

if TYPE_CHECKING:
    from tests.differential.world import World

PATH = "/x"
#: Where the layers may stand, and what then stands before the endpoint's path.
PLACES: dict[str, str] = {
    "app": "",
    "added": "",
    "route": "",
    "router": "",
    "bare": "",
    "mount": "/m",
    "mounted app": "/m",
    "mounted router": "/m",
    "split": "/m",
    "around": "",
    "raw": "",
}


@dataclass(frozen=True, repr=False)
class Served(Brief):
    """An application of one endpoint, with layers (outermost first) in some place.

    Attributes:
        within: layers of the endpoint's route, in whatever place the others are.
        handlers: of exceptions, by what they take.
        limits: `max_body_size` of the application, and of the route.
        build: makes the whole application instead, from the world.
    """

    endpoint: Part | None = None
    layers: tuple[Part, ...] = ()
    place: str = "app"
    within: tuple[Part, ...] = ()
    handlers: tuple[tuple[Any, Part], ...] = ()
    debug: bool = False
    limits: tuple[int | None, int | None] = (None, None)
    build: Callable[[World], Any] | None = None

    @property
    def has_threads(self) -> bool:
        """Whether a part hops to a thread, so that what it tells and what others do may swap."""
        parts = (self.endpoint, *self.layers, *self.within, *(part for _, part in self.handlers))
        return any(part is not None and part.traits.get("threads", False) for part in parts)


def middleware(world: World, parts: Sequence[Part], where: str) -> list[Any]:
    """Build what `middleware=` takes."""
    return [
        based(world, part, f"{where}{number}")
        if part.traits["kind"] == "dispatch"
        else part(world, f"{where}{number}")
        for number, part in enumerate(parts, 1)
    ]


def wrapped(app: Any, layers: Sequence[Any]) -> Any:
    """An application within layers that are called directly."""
    for cls, args, kwargs in reversed(layers):
        app = cls(app, *args, **kwargs)
    return app


def application(world: World, served: Served) -> Any:
    """Build an application as it is described."""
    if served.build is not None:
        return served.build(world)
    assert served.endpoint is not None
    place, kind = served.place, served.endpoint.traits["kind"]
    layers = middleware(world, served.layers, "layer ")
    made = served.endpoint(world, "endpoint")
    if place == "raw":
        return wrapped(world.ns.request_response(made) if kind == "endpoint" else made, layers)
    own = middleware(world, served.within, "within ") + (layers if place == "route" else [])
    handlers = tuple((key, part(world, f"handler of {key}")) for key, part in served.handlers)
    limit, route_limit = served.limits
    methods = None if kind == "asgi" else ("GET", "POST", "OPTIONS")
    table = (R(PATH, made, methods, middleware=tuple(own), max_body_size=route_limit),)

    def app_of(*routes: Any, above: Any = (), **of_router: Any) -> AppOf:
        router = RouterOf(routes, **of_router)
        return AppOf(router, served.debug, tuple(above), handlers, limit)

    router = RouterOf(table, middleware=tuple(layers))
    half = len(layers) // 2
    described: Any = {
        "app": app_of(*table, above=layers),
        "router": app_of(*table, middleware=tuple(layers)),
        "bare": router,
        "mount": app_of(M("/m", None, table, middleware=tuple(layers))),
        "mounted router": app_of(M("/m", router)),
        "mounted app": app_of(M("/m", app_of(*table, above=layers))),
        "split": app_of(M("/m", app_of(*table, above=layers[half:])), above=layers[:half]),
    }.get(place, app_of(*table))
    app = world.app(described)
    if place == "around":
        return wrapped(app, layers)
    for cls, args, kwargs in reversed(layers) if place == "added" else ():
        app.add_middleware(cls, *args, **kwargs)
    return app
