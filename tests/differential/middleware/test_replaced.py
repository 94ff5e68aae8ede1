"""Middleware whose parts are replaced: while it serves, on its class, or on Starlette's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from starlette.middleware import base
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request

import turbostar
from tests.asgi import Visit
from tests.differential import answering, failing
from tests.differential.middleware import dispatches, layers, streaming
from tests.differential.modes import STOCK, Mode
from tests.differential.observed import compare
from tests.differential.part import dispatch
from tests.differential.scene import Scene, check, play, worlds
from tests.differential.served import PATH, Served
from tests.differential.world import World
from tests.patching.patches import Proxy

TWICE = (Visit(PATH), Visit(PATH))


def stack_of(world: World) -> Any:
    """The outermost of the application's own middleware, once it has been built."""
    return world.top.middleware_stack.app


def other_app(world: World) -> None:
    middleware = stack_of(world)
    below = middleware.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        world.tell("replaced", scope["path"])
        await below(scope, receive, send)

    middleware.app = app


def other_answer(world: World) -> None:
    stack_of(world).app = world.ns.PlainTextResponse("replaced")


def other_dispatch_func(world: World) -> None:
    async def replaced(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-replaced"] = "1"
        return response

    stack_of(world).dispatch_func = replaced


def other_dispatch(world: World) -> None:
    """Too late: it was bound when the middleware was made."""

    async def replaced(request: Any, call_next: Any) -> Any:
        raise AssertionError("not asked")

    stack_of(world).dispatch = replaced


def other_class(world: World) -> None:
    middleware = stack_of(world)

    class Other(type(middleware)):  # type: ignore[misc]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell("other class", scope["path"])
            await super().__call__(scope, receive, send)

    middleware.__class__ = Other


def patched_class(world: World) -> None:
    middleware = stack_of(world)
    call = type(middleware).__call__

    async def patched(self: Any, scope: Any, receive: Any, send: Any) -> None:
        world.tell("patched class", scope["path"])
        await call(self, scope, receive, send)

    type(middleware).__call__ = patched


def proxied_below(world: World) -> None:
    """By an object that equals what it wraps, as those of wrapt do."""
    below = stack_of(world).app
    if isinstance(below, BaseHTTPMiddleware):  # of a class of this world's own
        cls: Any = type(below)
        cls.__call__ = Proxy(cls.__call__, lambda: world.tell("proxied class"))


def own_call(world: World) -> None:
    """On the instance, where Python does not look for it."""
    stack_of(world).__call__ = None


def other_handlers(world: World) -> None:
    """The ExceptionMiddleware below it is told of more."""

    async def handler(request: Any, exc: Any) -> Any:
        return world.ns.PlainTextResponse("handled", 598)

    below = stack_of(world)
    while not hasattr(below, "add_exception_handler"):
        below = below.app
    below.add_exception_handler(KeyError, handler)


def more_middleware(world: World) -> None:
    """Not to be added once the application serves."""
    world.top.add_middleware(BaseHTTPMiddleware)


def built_anew(world: World) -> None:
    world.top.middleware_stack = None
    world.top.user_middleware.pop()


CHANGES = (
    *(other_app, other_answer, other_dispatch_func, other_dispatch, other_class, patched_class),
    *(proxied_below, own_call, other_handlers, more_middleware, built_anew),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_replaced_while_it_serves(mode: Mode, change: Callable[[World], None]) -> None:
    """The next request knows of it."""
    steps = (*TWICE, change, *TWICE)
    stacks = (
        (dispatches.header,),
        (dispatches.header, dispatches.header),
        (dispatches.header, layers.neither, dispatches.looks),
    )
    for below in (answering.json, failing.key_error, streaming.one):
        for stack in stacks:
            check(mode, Scene(Served(below, stack), steps))


def test_without_dispatch(mode: Mode) -> None:
    """A middleware that says nothing of what it does."""

    def build(world: World) -> Any:
        app = answering.plain(world, "endpoint")
        return world.ns.BaseHTTPMiddleware(world.ns.request_response(app))

    def sync(world: World) -> Any:
        """Its answer cannot be awaited."""
        app = world.ns.request_response(answering.plain(world, "endpoint"))

        def answer(request: Any, call_next: Any) -> Any:
            return world.ns.PlainTextResponse("not awaited")

        return world.ns.BaseHTTPMiddleware(app, dispatch=answer)

    for make in (build, sync):
        check(mode, Scene(Served(build=make), TWICE))


CALLED: list[str] = []


def _noting(owner: Any, name: str) -> Any:
    """Replace an attribute of Starlette by one that notes that it was used."""
    stock = owner.__dict__[name]

    async def noting(*args: Any, **kwargs: Any) -> Any:
        CALLED.append(name)
        return await stock(*args, **kwargs)

    def noting_init(*args: Any, **kwargs: Any) -> Any:
        CALLED.append(name)
        return stock(*args, **kwargs)

    return mock.patch.object(owner, name, noting_init if name.endswith("init__") else noting)


PATCHES: dict[str, Callable[[], Any]] = {
    "__call__": lambda: _noting(BaseHTTPMiddleware, "__call__"),
    "__init__": lambda: _noting(BaseHTTPMiddleware, "__init__"),
    "wrapped_receive": lambda: _noting(base._CachedRequest, "wrapped_receive"),
    "cached request": lambda: _noting(base._CachedRequest, "__init__"),
    "response": lambda: _noting(base._StreamingResponse, "__call__"),
    "response init": lambda: _noting(base._StreamingResponse, "__init__"),
    "request body": lambda: _noting(Request, "body"),
}


@contextlib.contextmanager
def patched(name: str) -> Iterator[None]:
    CALLED.clear()
    with PATCHES[name]():
        yield
        CALLED.clear()


@dispatch
async def reads(world: World, who: str, request: Any, call_next: Any) -> Any:
    world.tell("patch", *CALLED)
    await request.body()
    response = await call_next(request)
    world.tell("patch", *CALLED)
    return response


@pytest.mark.parametrize("first", ["patch", "mode"])
@pytest.mark.parametrize("name", PATCHES)
def test_what_is_patched_on_starlette(mode: Mode, name: str, first: str) -> None:
    """By a tracer, before or after turbostar is in force: it is called as often as on stock."""
    scene = Scene(Served(answering.json, (reads, dispatches.header)), TWICE)

    def played(side: Mode) -> list[Any]:
        early, late = contextlib.nullcontext(), patched(name)
        if first == "patch":
            early, late = late, early
        with early, worlds(side, ()) as (world,), late:
            return [*play(world, scene, "asyncio", False), {"called": list(CALLED)}]

    compare(played(STOCK), played(mode), ["build", *scene.steps, "calls"])


def test_installed_and_uninstalled_while_it_serves() -> None:
    """The same application, built and used before, during and after."""

    def install(world: World) -> None:
        if world.mode is not STOCK:
            turbostar.install()

    def uninstall(world: World) -> None:
        turbostar.uninstall()

    late = Mode("installed late", STOCK.namespace)
    for below in (answering.json, failing.boom, streaming.one):
        for early in (TWICE, ()):
            stack = (dispatches.header, layers.neither, dispatches.drops_for_stream)
            steps: tuple[Any, ...] = (*early, install, *TWICE, uninstall, *TWICE)
            check(late, Scene(Served(below, stack), steps))
