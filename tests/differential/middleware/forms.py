"""The ways to write a BaseHTTPMiddleware around one dispatch function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.differential.part import Part

if TYPE_CHECKING:
    from tests.differential.world import World

Form = Callable[["World", Any, str], Any]
FORMS: dict[str, Form] = {}


def form(make: Form) -> Form:
    FORMS[make.__name__] = make
    return make


def by(part: Part, name: str) -> Part:
    """The same dispatch function, in a middleware written this way."""
    return Part(f"{part.name} as {name}", part.make, **{**part.traits, "form": name})


def based(world: World, part: Part, who: str) -> Any:
    """Build what `middleware=` takes."""
    return FORMS[part.traits.get("form", "subclass")](world, part(world, who), who)


@form
def subclass(world: World, bound: Any, who: str) -> Any:
    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        dispatch = staticmethod(bound)

    return world.ns.Middleware(Based)


@form
def handing_on(world: World, bound: Any, who: str) -> Any:
    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await bound(request, call_next)

    return world.ns.Middleware(Based)


@form
def argument(world: World, bound: Any, who: str) -> Any:
    return world.ns.Middleware(world.ns.BaseHTTPMiddleware, dispatch=bound)


@form
def positional(world: World, bound: Any, who: str) -> Any:
    return world.ns.Middleware(world.ns.BaseHTTPMiddleware, bound)


@form
def both(world: World, bound: Any, who: str) -> Any:
    """The argument goes before the method."""

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            raise AssertionError("not asked")

    return world.ns.Middleware(Based, dispatch=bound)


@form
def factory(world: World, bound: Any, who: str) -> Any:
    def make(app: Any) -> Any:
        return world.ns.BaseHTTPMiddleware(app, bound)

    return world.ns.Middleware(make)


@form
def partial(world: World, bound: Any, who: str) -> Any:
    async def more(option: str, request: Any, call_next: Any) -> Any:
        world.tell(who, option)
        return await bound(request, call_next)

    return world.ns.Middleware(
        world.ns.BaseHTTPMiddleware, dispatch=functools.partial(more, "option")
    )


@form
def callable_object(world: World, bound: Any, who: str) -> Any:
    class Dispatch:
        async def __call__(self, request: Any, call_next: Any) -> Any:
            return await bound(request, call_next)

    return world.ns.Middleware(world.ns.BaseHTTPMiddleware, dispatch=Dispatch())


@form
def plain_function(world: World, bound: Any, who: str) -> Any:
    """Not itself a coroutine function, it gives a coroutine."""

    def start(request: Any, call_next: Any) -> Any:
        world.tell(who, "starting")
        return bound(request, call_next)

    return world.ns.Middleware(world.ns.BaseHTTPMiddleware, dispatch=start)


@form
def awaitable(world: World, bound: Any, who: str) -> Any:
    class Awaited:
        def __init__(self, *given: Any) -> None:
            self.given = given

        def __await__(self) -> Any:
            return bound(*self.given).__await__()

    return world.ns.Middleware(world.ns.BaseHTTPMiddleware, dispatch=Awaited)


@form
def decorated(world: World, bound: Any, who: str) -> Any:
    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            world.tell(who, "decorated")
            response = await function(*args, **kwargs)
            response.headers["x-decorated"] = "1"
            return response

        return wrapper

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        @decorate
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await bound(request, call_next)

    return world.ns.Middleware(Based)


@form
def static(world: World, bound: Any, who: str) -> Any:
    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        dispatch = staticmethod(bound)

    return world.ns.Middleware(Based)


@form
def inherited(world: World, bound: Any, who: str) -> Any:
    """Dispatch of the base goes on in the subclass's, by super()."""

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await bound(request, call_next)

    class Deeper(Based):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            world.tell(who, "deeper")
            response = await super().dispatch(request, call_next)
            response.headers.append("x-deeper", who)
            return response

    return world.ns.Middleware(Deeper)


@form
def own_init(world: World, bound: Any, who: str) -> Any:
    """Neither calls the base's `__init__` nor takes an app by that name."""

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        def __init__(self, inner: Any, *, option: str) -> None:
            self.app, self.option = inner, option
            self.dispatch_func = self.dispatch

        async def dispatch(self, request: Any, call_next: Any) -> Any:
            world.tell(who, self.option)
            return await bound(request, call_next)

    return world.ns.Middleware(Based, option="given")


@form
def own_call(world: World, bound: Any, who: str) -> Any:
    """Its `__call__` does something around the base's."""

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                world.tell(who, "sends", message["type"])
                await send(message)

            world.tell(who, "entered", list(scope))
            await super().__call__({**scope, "own": who}, receive, sending)
            world.tell(who, "left")

        async def dispatch(self, request: Any, call_next: Any) -> Any:
            world.tell(who, request.scope["own"])
            return await bound(request, call_next)

    return world.ns.Middleware(Based)


@form
def computed(world: World, bound: Any, who: str) -> Any:
    """`dispatch_func` is another one for each request."""

    class Based(world.ns.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        @property
        def dispatch_func(self) -> Any:
            world.tell(who, "asked for dispatch_func")
            return bound

        @dispatch_func.setter
        def dispatch_func(self, value: Any) -> None:
            world.tell(who, "told of dispatch_func")

    return world.ns.Middleware(Based)
