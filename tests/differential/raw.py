"""ASGI applications in the place of endpoints: what they send is not always a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from tests.differential.part import asgi, told

if TYPE_CHECKING:
    from tests.differential.world import World

Start = "http.response.start"
Body = "http.response.body"


@asgi
async def silent(world: World, scope: Any, receive: Any, send: Any) -> None:
    """Ends without an answer."""


@asgi
async def start_only(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})


@asgi
async def unfinished(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": Body, "body": b"to be continued", "more_body": True})


@asgi
async def bare(world: World, scope: Any, receive: Any, send: Any) -> None:
    """Leaves out whatever may be left out."""
    await send({"type": Start, "status": 200})
    await send({"type": Body})


@asgi
async def tuples(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": ((b"content-length", b"2"), (b"A", b"b"))})
    await send({"type": Body, "body": b"ok", "more_body": False})


@asgi
async def pieces(world: World, scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"6")]
    await send({"type": Start, "status": 200, "headers": headers, "extra": "dropped?"})
    for piece in (b"ab", b"", b"cd"):
        world.tell("endpoint", "sending", piece)
        await send({"type": Body, "body": piece, "more_body": True})
    await send({"type": Body, "body": memoryview(b"ef")})
    headers.append((b"x-late", b"1"))


@asgi
async def goes_on(world: World, scope: Any, receive: Any, send: Any) -> None:
    """Works on after its answer, and sends what nobody wants."""
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": Body, "body": b"done"})
    world.tell("endpoint", "goes on")
    await anyio.lowlevel.checkpoint()
    await send({"type": Body, "body": b"too late"})
    world.tell("endpoint", "is ignored")


@asgi
async def trailers(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": [], "trailers": True})
    await send({"type": Body, "body": b"with trailers" * 100})
    await send(
        {"type": "http.response.trailers", "headers": [(b"a", b"b")], "more_trailers": False}
    )


@asgi
async def streamed_trailers(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": [], "trailers": True})
    await send({"type": Body, "body": b"with", "more_body": True})
    await send({"type": "http.response.trailers", "headers": [(b"a", b"b")]})
    await send({"type": Body, "body": b"trailers"})


@asgi
async def hints(world: World, scope: Any, receive: Any, send: Any) -> None:
    for link in (b"</a>", b"</b>"):
        await send({"type": "http.response.early_hint", "links": [link]})
        world.tell("endpoint", "has hinted")
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": Body, "body": b"hinted"})


@asgi
async def only_hints(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.early_hint", "links": [b"</a>"]})


@asgi
async def late_hint(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": "http.response.early_hint", "links": [b"</a>"]})


@asgi
async def debugging(world: World, scope: Any, receive: Any, send: Any) -> None:
    for number in (1, 2):
        await send({"type": "http.response.debug", "info": {"n": number}})
    await send({"type": Start, "status": 200, "headers": [(b"x", b"y")]})
    await send({"type": Body, "body": b"debugged"})


@asgi
async def path_sender(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": "http.response.pathsend", "path": "/etc/hostname"})
    world.tell("endpoint", "has sent a path")


@asgi
async def pushing(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.push", "path": "/style.css", "headers": []})


@asgi
async def body_first(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Body, "body": b"no start"})


@asgi
async def mounted_endpoint(world: World, scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that uses what Starlette left in the scope."""
    world.tell("endpoint", sorted(scope), scope["path"], scope.get("root_path"))
    response = world.ns.JSONResponse(dict(scope.get("path_params", {})))
    await told(world, "response", response(scope, receive, send))


RAW = (
    *(silent, start_only, unfinished, bare, tuples, pieces, goes_on, trailers, streamed_trailers),
    *(hints, only_hints, late_hint, debugging, path_sender, pushing, body_first, mounted_endpoint),
)
