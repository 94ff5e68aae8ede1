"""Scenes: an application and what is done with it, played on stock and in a mode, and compared."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any

from tests.asgi import Ask, Visit
from tests.brief import Brief
from tests.differential import convertors
from tests.differential.drive import drive
from tests.differential.loops import run
from tests.differential.modes import STOCK, Mode
from tests.differential.observed import Difference, Outcome, compare, raised
from tests.differential.requests import Lookup
from tests.differential.served import PATH, Served
from tests.differential.world import World

ONCE = (Visit(PATH),)


@dataclass(frozen=True, repr=False)
class Scene(Brief):
    """An application and what is done with it, in order.

    Attributes:
        app: an `AppOf`, `RouterOf` or the like, or `Served`.
        steps: requests, look-ups of names, changes, and functions of the world.
        backend: "asyncio" or "trio"; None for whatever is fastest.
        before: steps taken before the mode is in force.
        lanes: compare what each part tells by itself, not in which order they tell it.
        unheard: who is not listened to, for how far they come is not certain.
        reduce: takes from an outcome what legitimately differs.
    """

    app: Any
    steps: tuple[Any, ...] = ONCE
    _: KW_ONLY
    backend: str | None = None
    before: tuple[Any, ...] = ()
    lanes: bool = False
    unheard: tuple[str, ...] = ()
    reduce: Callable[[Outcome], Outcome] | None = None


def tried(world: World, call: Any) -> Outcome:
    """The outcome of a plain function: what it returns or raises, and what it logs."""
    start = len(world.log)
    value = error = None
    try:
        value = call()
    except Exception as exc:
        error = exc
    return {
        "returned": world.labels.of(value),
        "exception": raised(error),
        # How deep it came is up to the interpreter.
        "log": None if isinstance(error, RecursionError) else world.log[start:],
    }


def look_up(world: World, step: Lookup) -> Any:
    url = world.top.url_path_for(step.name, **dict(step.params))
    return [type(url).__name__, str(url), url.protocol, url.host]


async def take(world: World, step: Any) -> Outcome:
    """Take one step."""
    match step:
        case Ask():
            if world.prefix and step.type != "lifespan":
                step = type(step)(**{**vars(step), "path": world.prefix + step.path})
            return await drive(world, step)
        case Lookup():
            return tried(world, lambda: look_up(world, step))
    if hasattr(step, "perform"):
        outcome: Outcome = await step.perform(world)
        return outcome
    return tried(world, lambda: step.apply(world) if hasattr(step, "apply") else step(world))


@contextlib.contextmanager
def worlds(mode: Mode, *before: Sequence[Any]) -> Iterator[list[World]]:
    """Worlds to build in, with the mode in force; `before` are the steps that come before it."""
    made = [World(mode) for _ in before]
    with contextlib.ExitStack() as undo, warnings.catch_warnings():
        # On trio, of streams that were not read to their end.
        warnings.filterwarnings("ignore", "Async generator", ResourceWarning)
        for world, steps in zip(made, before, strict=True):
            world.undo = undo
            for step in steps:
                step.apply(world)
        undo.enter_context(mode.active())
        yield made


@contextlib.contextmanager
def built(world: World, described: Any) -> Iterator[Outcome]:
    """Build an application; `world.top` is None where that fails."""

    def build() -> None:
        world.top = world.app(described)

    with contextlib.ExitStack() as world.undo, convertors.registered(world.log):
        yield tried(world, build)


@contextlib.contextmanager
def building(mode: Mode, described: Any) -> Iterator[tuple[World, Outcome]]:
    """A world with this application in this mode, and the outcome of building it."""
    with worlds(mode, ()) as (world,), built(world, described) as outcome:
        yield world, outcome


def play(world: World, scene: Scene, backend: str | None, jumps: bool) -> list[Outcome]:
    """Build the scene's application in this world and take its steps.

    Returns:
        The outcome of building it, and of each step.

    Raises:
        AssertionError: what is `Served` cannot be built; anything else may fail to be.
    """
    with built(world, scene.app) as outcome:
        outcomes = [outcome]
        if world.top is None:
            assert not isinstance(scene.app, Served), outcome["exception"]
            return outcomes

        async def take_steps() -> None:
            for step in scene.steps:
                outcomes.append(await take(world, step))

        world.backend = backend or scene.backend or ("asyncio" if world.needs_loop else None)
        run(take_steps, world.backend, jumps)
    return outcomes


def play_all(
    mode: Mode, scenes: Sequence[Scene], backend: str | None = None, jumps: bool = False
) -> list[list[Outcome]]:
    """Play scenes in this mode; see `play`."""
    with worlds(mode, *(scene.before for scene in scenes)) as made:
        return [
            play(world, scene, backend, jumps) for world, scene in zip(made, scenes, strict=True)
        ]


def heard(scene: Scene, in_lanes: bool, outcome: Outcome) -> Outcome:
    """The outcome with its log as it is to be compared."""
    if scene.unheard:
        log = [entry for entry in outcome["log"] if not entry[0].endswith(scene.unheard)]
        outcome = {**outcome, "log": log}
    if scene.reduce is not None:
        outcome = scene.reduce(outcome)
    if not in_lanes:
        return outcome
    lanes: dict[str, Any] = {}
    for who, *what in outcome["log"]:
        lanes.setdefault(who, []).append(what)
    return {**outcome, "log": dict(sorted(lanes.items()))}


def key(value: Any) -> Any:
    """A hashable stand-in for a description."""
    if isinstance(value, Brief):
        return type(value), *(key(getattr(value, field.name)) for field in fields(value))  # type: ignore[arg-type]
    if isinstance(value, dict):
        return tuple((name, key(item)) for name, item in value.items())
    if isinstance(value, tuple | list):
        return tuple(map(key, value))
    return value


class Kept:
    """Scenes that are all equal to one another, as a cache has to do with them by their key."""

    def __init__(self, scenes: tuple[Scene, ...]) -> None:
        self.scenes = scenes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(maxsize=1000)
def _stock(_: Any, scenes: Kept, backend: str | None, jumps: bool) -> list[list[Outcome]]:
    return play_all(STOCK, scenes.scenes, backend, jumps)


def check(mode: Mode, *scenes: Scene, backend: str | None = None, jumps: bool = False) -> None:
    """Play scenes on stock Starlette, once for all modes if they are `Served`, and in this mode.

    Args:
        backend: in place of the scenes' own. On trio, what each part tells is compared by itself.
        jumps: the clock jumps over all waiting for timeouts; not for what uses threads.

    Raises:
        Difference: they came out differently.
    """
    if all(isinstance(scene.app, Served) for scene in scenes):
        theirs = _stock(key(scenes), Kept(scenes), backend, jumps)
    else:
        theirs = play_all(STOCK, scenes, backend, jumps)
    ours = play_all(mode, scenes, backend, jumps)
    for scene, stock, mine in zip(scenes, theirs, ours, strict=True):
        if len(stock) != len(mine):
            raise Difference(f"build: stock {stock[0]!r}, turbostar {mine[0]!r}")
        used = backend or scene.backend
        in_lanes = scene.lanes or used == "trio"  # which starts tasks in any order
        stock, mine = ([heard(scene, in_lanes, each) for each in side] for side in (stock, mine))
        try:
            compare(stock, mine, ["build", *scene.steps])
        except Difference as exc:
            raise Difference(f"{scene.app!r} on {used}: {exc}") from None
