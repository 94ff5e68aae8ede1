"""Builds what a description describes, from the names of one package, and runs a scene with it."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# These enter their endpoints.
from tests.differential import (
    answering,  # noqa: F401
    convertors,
    failing,  # noqa: F401
    flavours,
    parts,
    waiting,  # noqa: F401
    websockets,  # noqa: F401
)
from tests.differential.drive import (
    Difference,
    Labels,
    Log,
    Outcome,
    compare,
    drive,
    raised,
    run,
)
from tests.differential.endpoints import ENDPOINTS, WAITING
from tests.differential.modes import STOCK, Mode
from tests.differential.requests import Ask, Lookup
from tests.differential.tables import AppOf, B, Brief, H, M, R, RouterOf, W


class World:
    """One application, built from a description, with names for all its objects.

    Attributes:
        routes, routers, apps: everything that was built, in order, for changes to refer to.
        needs_loop: some part of it waits, or hops to a thread.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.ns = mode.namespace()
        self.log: Log = []
        self.labels = Labels()
        self.routes: list[Any] = []
        self.routers: list[Any] = []
        self.apps: list[Any] = []
        self.lists: list[Any] = []
        self.needs_loop = False
        self.quiet_always = False
        self.debug = False
        self.served: Any = None
        self._quiet = False
        self._count = 0
        self.top: Any = None
        self.outcomes: list[Outcome] = []
        self.undo = contextlib.ExitStack()

    @property
    def quiet(self) -> bool:
        return self._quiet or self.quiet_always

    @quiet.setter
    def quiet(self, value: bool) -> None:
        self._quiet = value

    def label(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def named(self, value: Any, kind: str) -> Any:
        return self.labels.give(value, self.label(kind))

    def endpoint(self, kind: str) -> Any:
        self.needs_loop |= kind in WAITING
        label = self.label(kind)
        return self.labels.give(ENDPOINTS[kind](self, label), label)

    def middleware(self, kinds: Sequence[str]) -> list[Any]:
        return [parts.middleware(self, kind, self.label(kind)) for kind in kinds]

    def app(self, described: Any) -> Any:
        """Build an application: Starlette's, a router, or none of Starlette's."""
        match described:
            case AppOf():
                return self._application(described)
            case RouterOf():
                return self.router(described)
        label = self.label(described)
        return self.labels.give(parts.asgi_app(self, described, label), label)

    def route(self, described: Any) -> Any:
        """Build one entry of a route table."""
        match described:
            case R():
                made = self._route(described)
            case W():
                made = flavours.derive(self.ns.pick("WebSocketRoute"), described.flavour)(
                    described.path,
                    self.endpoint(described.endpoint),
                    name=described.name,
                    middleware=self.middleware(described.middleware) or None,
                )
            case M():
                made = self._mount(described)
            case H():
                made = flavours.derive(self.ns.pick("Host"), described.flavour)(
                    described.host, self.app(described.app), described.name
                )
            case B():
                made = flavours.prefix_route(self, described.prefix)
        self.named(made, type(described).__name__)
        flavours.change(self, made, getattr(described, "flavour", "plain"))
        self.routes.append(made)
        return made

    def _route(self, described: R) -> Any:
        return flavours.derive(self.ns.pick("Route"), described.flavour)(
            described.path,
            self.endpoint(described.endpoint),
            methods=described.methods,
            name=described.name,
            middleware=self.middleware(described.middleware) or None,
            max_body_size=described.max_body_size,
        )

    def _mount(self, described: M) -> Any:
        inner = described.routes
        made = flavours.derive(self.ns.pick("Mount"), described.flavour)(
            described.path,
            None if described.app is None else self.app(described.app),
            None if inner is None else [self.route(item) for item in inner],
            described.name,
            middleware=self.middleware(described.middleware) or None,
            max_body_size=described.max_body_size,
        )
        if inner is not None:
            self._enter_router(made._base_app)
        return made

    def _enter_router(self, router: Any) -> Any:
        self.routers.append(self.named(router, "router"))
        self.lists.append(router.routes)
        return router

    def router(self, described: RouterOf) -> Any:
        extra = {} if described.lifespan is None else {"lifespan": self.lifespan(described)}
        default = described.default
        made = flavours.derive(self.ns.pick("Router"), described.flavour)(
            [self.route(item) for item in described.routes],
            described.redirect_slashes,
            None if default is None else self.app(default),
            middleware=self.middleware(described.middleware) or None,
            max_body_size=described.max_body_size,
            **extra,
        )
        flavours.change(self, made, described.flavour)
        return self._enter_router(made)

    def lifespan(self, described: AppOf | RouterOf) -> Any:
        return described.lifespan and parts.lifespan(self, described.lifespan)

    def _application(self, described: AppOf) -> Any:
        router = described.router
        handlers = {
            parts.KEYS.get(key, key): self.handler(kind) for key, kind in described.handlers
        }
        made = flavours.derive(self.ns.pick("Starlette"), described.flavour)(
            described.debug,
            [self.route(item) for item in router.routes],
            self.middleware(described.middleware) or None,
            handlers,
            self.lifespan(described),
            max_body_size=described.max_body_size,
        )
        if router.middleware or router.max_body_size is not None or router.flavour != "plain":
            bare = RouterOf((), middleware=router.middleware, flavour=router.flavour)
            own = self.router(bare)
            own.routes.extend(made.routes)
            made.router = own
        else:
            self._enter_router(made.router)
        made.router.redirect_slashes = router.redirect_slashes
        if router.default is not None:
            made.router.default = self.app(router.default)
        self.needs_loop |= described.debug
        self.debug |= described.debug
        flavours.change(self, made, described.flavour)
        self.apps.append(self.named(made, "app"))
        return made

    def handler(self, kind: str) -> Any:
        label = self.label(f"handler {kind}")
        return self.labels.give(parts.handler(self, kind, label), label)


@dataclass(frozen=True, repr=False)
class Scene(Brief):
    """An application and what is done with it, in order.

    Attributes:
        before: steps taken before the mode is in force.
        backend: "asyncio" or "trio"; None for whatever is fastest.
    """

    top: Any
    steps: tuple[Any, ...]
    backend: str | None = None
    before: tuple[Any, ...] = ()


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


async def perform(world: World, step: Any) -> Outcome:
    match step:
        case Ask():
            return await drive(world.top, step, world)
        case Lookup():
            return tried(world, lambda: look_up(world, step))
    if hasattr(step, "perform"):
        return await step.perform(world)
    return tried(world, lambda: step.apply(world))


@contextlib.contextmanager
def built(mode: Mode, described: Any, before: Sequence[Any] = ()) -> Iterator[World]:
    """The application in this mode; `world.top` is None where building it fails."""
    world = World(mode)
    with contextlib.ExitStack() as undo:
        world.undo = undo
        for step in before:
            step.apply(world)
        undo.enter_context(mode.active())
        undo.enter_context(convertors.registered(world.log))

        def build() -> None:
            world.top = world.app(described)

        world.outcomes = [tried(world, build)]
        yield world


def play(mode: Mode, scene: Scene) -> list[Outcome]:
    """Build the scene's application in this mode and take its steps.

    Returns:
        The outcome of building it, and of each step.
    """
    with built(mode, scene.top, scene.before) as world:
        outcomes = world.outcomes
        if world.top is None:
            return outcomes

        async def take_steps() -> None:
            for step in scene.steps:
                outcomes.append(await perform(world, step))

        backend = scene.backend
        if backend is None:
            backend = "asyncio" if world.needs_loop else None
        run(take_steps, backend)
    return outcomes


def check(mode: Mode, scene: Scene) -> None:
    """Play a scene on stock Starlette and in this mode.

    Raises:
        Difference: they came out differently.
    """
    stock, ours = play(STOCK, scene), play(mode, scene)
    if len(stock) != len(ours):
        raise Difference(f"build: stock {stock[0]!r}, turbostar {ours[0]!r}")
    has_base = "'base'" in repr(scene)
    steps = ["build", *scene.steps]
    if has_base:
        for outcome, step in zip((*stock, *ours), (*steps, *steps), strict=True):
            _without_order(outcome, leaves=getattr(step, "leaves", False))
    compare(stock, ours, steps, shares_context=has_base)


def _without_order(outcome: Outcome, *, leaves: bool) -> None:
    """Forget what is up to the event loop where a middleware and the endpoint are two tasks."""
    # Whether a response is sent, and its exception's traceback dropped, or the other way round.
    unheard = {"traceback before"}
    if leaves:
        # How much of a stream that is cancelled had arrived.
        unheard |= {"send", "chunk"}
        outcome["messages"] = outcome["messages"][:1]
    log = [told for told in outcome["log"] or () if told[0] not in unheard]
    outcome["log"] = sorted(log, key=operator.itemgetter(0))  # each kind in its order
