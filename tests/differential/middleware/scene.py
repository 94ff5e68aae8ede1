"""Scenes: an application with middleware somewhere, and the connections it serves."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tests.differential.drive import Difference, Outcome, compare, without_frames
from tests.differential.middleware.client import Visit, drive
from tests.differential.middleware.clocks import run_on
from tests.differential.middleware.forms import based
from tests.differential.middleware.world import Mode, Part, World
from tests.differential.modes import STOCK
from tests.differential.tables import Brief

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


@dataclass(frozen=True, repr=False)
class Scene(Brief):
    """An application and what is done with it.

    Attributes:
        steps: visits, and functions of the world called between them.
        lanes: compare what each part tells by itself, not in which order they tell it.
        unheard: who is not listened to, for how far they come is not certain.
        reduce: takes from an outcome what legitimately differs.
    """

    app: Served
    steps: tuple[Any, ...] = (Visit(PATH),)
    lanes: bool = False
    unheard: tuple[str, ...] = ()
    reduce: Callable[[Outcome], Outcome] | None = None


def middleware(world: World, parts: Sequence[Part], where: str) -> list[Any]:
    """Build what `middleware=` takes."""
    made = []
    for number, part in enumerate(parts, 1):
        who = f"{where}{number}"
        if part.traits["kind"] == "dispatch":
            made.append(based(world, part, who))
        else:
            made.append(part(world, who))
    return made


def wrapped(app: Any, layers: Sequence[Any]) -> Any:
    for cls, args, kwargs in reversed(layers):
        app = cls(app, *args, **kwargs)
    return app


def application(world: World, served: Served) -> Any:
    """Build an application as it is described."""
    if served.build is not None:
        return served.build(world)
    ns, place = world.ns, served.place
    layers = middleware(world, served.layers, "layer ")
    assert served.endpoint is not None
    made = served.endpoint(world, "endpoint")
    if place == "raw":
        if served.endpoint.traits["kind"] == "endpoint":
            made = ns.request_response(made)
        return wrapped(made, layers)
    own = middleware(world, served.within, "within ") + (layers if place == "route" else [])
    limit, route_limit = served.limits
    methods = None if served.endpoint.traits["kind"] == "asgi" else ["GET", "POST", "OPTIONS"]
    table: list[Any] = [
        ns.Route(PATH, made, methods=methods, middleware=own or None, max_body_size=route_limit)
    ]
    handlers = {key: handler(world, f"handler of {key}") for key, handler in served.handlers}

    def starlette(routes: Any, layers: Any = None) -> Any:
        return ns.Starlette(
            served.debug,
            routes,
            exception_handlers=handlers,
            middleware=layers,
            max_body_size=limit,
        )

    match place:
        case "app":
            return starlette(table, layers)
        case "added":
            app = starlette(table)
            for cls, args, kwargs in reversed(layers):
                app.add_middleware(cls, *args, **kwargs)
            return app
        case "router":
            app = starlette([])
            app.router = ns.Router(table, middleware=layers)
            return app
        case "bare":
            return ns.Router(table, middleware=layers)
        case "mount":
            return starlette([ns.Mount("/m", routes=table, middleware=layers)])
        case "mounted router":
            return starlette([ns.Mount("/m", ns.Router(table, middleware=layers))])
        case "mounted app":
            return starlette([ns.Mount("/m", starlette(table, layers))])
        case "split":
            half = len(layers) // 2
            return starlette([ns.Mount("/m", starlette(table, layers[half:]))], layers[:half])
        case "around":
            return wrapped(starlette(table), layers)
    return starlette(table)


async def take(world: World, scene: Scene, step: Any) -> Outcome:
    if isinstance(step, Visit):
        prefix = PLACES[scene.app.place]
        if prefix and step.type != "lifespan":
            step = Visit(**{**vars(step), "path": prefix + step.path})
        outcome = await drive(world, step)
        outcome["messages"] = without_frames(outcome["messages"], scene.app.debug)
    elif hasattr(step, "perform"):
        outcome = await step.perform(world)
    else:
        start = len(world.log)
        error = None
        try:
            step(world)
        except Exception as exc:
            error = exc
        outcome = {"exception": world.of(error), "log": world.log[start:]}
    return outcome


def heard(scene: Scene, backend: str, outcome: Outcome) -> Outcome:
    """The outcome with its log as it is to be compared."""
    log = [entry for entry in outcome["log"] if not entry[0].endswith(scene.unheard)]
    outcome = {**outcome, "log": log}
    if scene.reduce is not None:
        outcome = scene.reduce(outcome)
        log = outcome["log"]
    if not scene.lanes and backend != "trio":
        return {**outcome, "log": log}
    lanes: dict[str, Any] = {}
    for who, *what in log:
        lanes.setdefault(who, []).append(what)
    return {**outcome, "log": dict(sorted(lanes.items()))}


async def play(mode: Mode, scene: Scene) -> list[Outcome]:
    """Build the scene's application and take its steps."""
    world = World(mode)
    world.top = application(world, scene.app)
    return [await take(world, scene, step) for step in scene.steps]


def play_all(
    mode: Mode, scenes: Sequence[Scene], backend: str, jumps: bool = False
) -> list[list[Outcome]]:
    async def work() -> list[list[Outcome]]:
        return [await play(mode, scene) for scene in scenes]

    with mode.active(), warnings.catch_warnings():
        # On trio, of streams that were not read to their end.
        warnings.filterwarnings("ignore", "Async generator", ResourceWarning)
        return run_on(backend, work, jumps)


def key(value: Any) -> Any:
    """A hashable stand-in for a description."""
    if isinstance(value, Brief):
        return type(value), *(key(getattr(value, field.name)) for field in fields(value))  # type: ignore[arg-type]
    if isinstance(value, dict):
        return tuple((name, key(item)) for name, item in value.items())
    if isinstance(value, tuple | list):
        return tuple(map(key, value))
    return value


@functools.lru_cache(maxsize=1000)
def _stock(_: Any, scenes: Kept, backend: str, jumps: bool) -> list[list[Outcome]]:
    return play_all(STOCK, scenes.scenes, backend, jumps)


class Kept:
    """Scenes that are all equal to one another, as a cache has to do with them by their key."""

    def __init__(self, scenes: tuple[Scene, ...]) -> None:
        self.scenes = scenes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept)

    def __hash__(self) -> int:
        return 0


def check(mode: Mode, *scenes: Scene, backend: str = "asyncio", jumps: bool = False) -> None:
    """Play scenes on stock Starlette, once for all modes, and in this mode.

    Args:
        jumps: the clock jumps over all waiting for timeouts; not for what uses threads.

    Raises:
        Difference: they came out differently.
    """
    theirs = _stock(key(scenes), Kept(scenes), backend, jumps)
    ours = play_all(mode, scenes, backend, jumps)
    for scene, expected, found in zip(scenes, theirs, ours, strict=True):
        expected, found = (
            [heard(scene, backend, outcome) for outcome in side] for side in (expected, found)
        )
        try:
            compare(expected, found, list(scene.steps))
        except Difference as exc:
            raise Difference(f"{scene.app!r} on {backend}: {exc}") from None
