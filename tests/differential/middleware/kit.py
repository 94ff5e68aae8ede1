"""Starlette's other middleware as layers, and what its tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.differential.part import Part, asgi, endpoint, layer
from tests.differential.world import World

Headers = tuple[tuple[bytes, bytes], ...]


def kit(name: str, **options: Any) -> Part:
    """A layer of Starlette's `{name}Middleware`."""

    def make(world: World, who: str) -> Any:
        return world.ns.Middleware(getattr(world.ns, f"{name}Middleware"), **options)

    return Part(f"{name}({', '.join(options)})", make, kind="layer")


def subclassed(name: str, derive: Callable[[Any, World, str], Any], **options: Any) -> Part:
    """A layer of a subclass: `derive(base, world, who)` makes it."""

    def make(world: World, who: str) -> Any:
        base = getattr(world.ns, f"{name}Middleware")
        return world.ns.Middleware(derive(base, world, who), **options)

    return Part(f"{name} {derive.__name__}", make, kind="layer")


def h(**headers: str) -> Headers:
    """Request headers, as a scope has them: `h(accept_encoding="gzip")`."""
    return tuple(
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in headers.items()
    )


def has_headers(name: str, *headers: tuple[str, str], body: bytes = b"body") -> Part:
    """An endpoint that answers with these headers, in this order."""

    async def answer(world: World, request: Any) -> Any:
        response = world.ns.Response(body)
        for key, value in headers:
            response.headers.append(key, value)
        return response

    answer.__name__ = name
    return endpoint(answer)


no_vary = has_headers("no_vary")
one_vary = has_headers("one_vary", ("vary", "Accept"))
two_varies = has_headers("two_varies", ("Vary", "Accept, X-A"), ("x", "y"), ("vary", "Cookie"))
star_vary = has_headers("star_vary", ("vary", "*"))
own_vary = has_headers("own_vary", ("vary", "Origin"), ("vary", "accept-encoding, cookie"))
own_cors = has_headers(
    "own_cors",
    ("access-control-allow-origin", "own"),
    ("Access-Control-Allow-Origin", "second"),
    ("access-control-expose-headers", "X-Own"),
)


@asgi
async def odd_headers(world: World, scope: Any, receive: Any, send: Any) -> None:
    """A tuple of them, in mixed case, with a message more than usual before."""
    await send({"type": "http.response.early_hint", "links": [b"</a>"]})
    headers = ((b"Vary", b"X-B"), (b"content-length", b"4"), (b"content-type", b"text/plain"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"body"})


VARIES = (no_vary, one_vary, two_varies, star_vary, own_vary, own_cors)


@layer
async def tells_scope(
    world: World, who: str, app: Any, scope: Any, receive: Any, send: Any
) -> None:
    """What is in the scope when it is entered and when it is left."""
    world.tell(who, list(scope))
    await app(scope, receive, send)
    world.tell(who, list(scope), repr(scope.get("session")), repr(scope.get("path")))
