"""A world: one application, built from a description, and all that is told by its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import anyio

# These enter their endpoints.
from tests.differential import (
    answering,  # noqa: F401
    endpoints,  # noqa: F401
    failing,  # noqa: F401
    flavours,
    parts,
    waiting,  # noqa: F401
    websockets,  # noqa: F401
)
from tests.differential.modes import Mode
from tests.differential.observed import Labels, Log, plain, raised
from tests.differential.part import ENDPOINTS
from tests.differential.served import PLACES, Served, application
from tests.differential.tables import AppOf, B, H, M, R, RouterOf, W


class World:
    """One application, with names for all its objects and with what its parts tell.

    Attributes:
        log: of tuples whose first entry says who tells. The order of one's own entries is certain
            on every event loop, the order of two at once only on asyncio.
        routes, routers, apps, lists: what was built, in order, for changes to refer to.
        needs_loop: some part of it waits, or hops to a thread.
        backend: of the event loop that it is run on; None for no loop.
        debug: some application of it shows tracebacks.
        served: the route that took the latest request.
        quiet: an endpoint sets it from where on it is not settled when `receive` is called.
        happened, awaited: what has happened to the request, and events for what is waited for.
        kept: for parts to keep something from one request to the next.
        undo: what is put back once the scene is over.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.ns: Any = mode.namespace()
        self.log: Log = []
        self.labels = Labels()
        self.routes: list[Any] = []
        self.routers: list[Any] = []
        self.apps: list[Any] = []
        self.lists: list[Any] = []
        self.needs_loop = False
        self.backend: str | None = None
        self.quiet_always = False
        self.debug = False
        self.served: Any = None
        self.prefix = ""
        self.happened: set[str] = set()
        self.awaited: dict[str, anyio.Event] = {}
        self.kept: dict[str, Any] = {}
        self.top: Any = None
        self.undo = contextlib.ExitStack()
        self._quiet = False
        self._count = 0

    @property
    def quiet(self) -> bool:
        return self._quiet or self.quiet_always

    @quiet.setter
    def quiet(self, value: bool) -> None:
        self._quiet = value

    def tell(self, who: str, *what: Any) -> None:
        """Enter into the log what somebody does."""
        self.log.append((who, *map(self.of, what)))

    def returned(self, who: str, value: Any) -> Any:
        self.tell(who, "returned", value)
        return value

    def of(self, value: Any) -> Any:
        """Reduce a value to plain data that is equal where stock's and ours are the same."""
        if type(value) in (bytes, int, bool, type(None)):
            return value
        if isinstance(value, BaseException):
            return raised(value, through=True)
        return plain(value) if isinstance(value, str) else self.labels.of(value)

    async def until(self, name: str) -> None:
        """Wait for something to happen to the request that is being served."""
        if name not in self.happened:
            await self.awaited.setdefault(name, anyio.Event()).wait()

    def happens(self, name: str) -> None:
        """Let those go on who wait for this."""
        self.happened.add(name)
        if name in self.awaited:
            self.awaited[name].set()

    def label(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def named(self, value: Any, kind: str) -> Any:
        return self.labels.give(value, self.label(kind))

    def endpoint(self, kind: Any) -> Any:
        """The endpoint of this name; one that was made already is itself."""
        if not isinstance(kind, str):
            return kind
        part, label = ENDPOINTS[kind], self.label(kind)
        self.needs_loop |= part.traits["waits"]
        return self.labels.give(part(self, label), label)

    def middleware(self, kinds: Sequence[Any]) -> list[Any]:
        """What `middleware=` takes, for names, or for what was made already."""
        return [
            parts.middleware(self, kind, self.label(kind)) if isinstance(kind, str) else kind
            for kind in kinds
        ]

    def app(self, described: Any) -> Any:
        """Build an application: Starlette's, a router, or none of Starlette's."""
        match described:
            case Served():
                self.needs_loop, self.prefix = True, PLACES[described.place]
                return application(self, described)
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

    def handler(self, kind: Any) -> Any:
        """The exception handler of this name; one that was made already is itself."""
        if not isinstance(kind, str):
            return kind
        label = self.label(f"handler {kind}")
        return self.labels.give(parts.handler(self, kind, label), label)
