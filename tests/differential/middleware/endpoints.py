"""Endpoints under middleware: those that answer in one piece, and ASGI applications."""

from __future__ import annotations

from typing import Any

import anyio

from tests.differential.middleware.world import Part, World, asgi, endpoint, told

Start = "http.response.start"
Body = "http.response.body"


@endpoint
async def plain(world: World, request: Any) -> Any:
    return world.ns.PlainTextResponse("plain")


@endpoint
async def json(world: World, request: Any) -> Any:
    return world.ns.JSONResponse({"n": 1}, 201, {"X-One": "1"})


@endpoint
async def long(world: World, request: Any) -> Any:
    return world.ns.PlainTextResponse("long " * 200)


@endpoint
async def empty(world: World, request: Any) -> Any:
    return world.ns.Response(status_code=204)


@endpoint
async def not_modified(world: World, request: Any) -> Any:
    return world.ns.Response(status_code=304, headers={"etag": "x"})


@endpoint
async def cookies(world: World, request: Any) -> Any:
    response = world.ns.HTMLResponse("<b>é</b>")
    response.set_cookie("a", "1")
    response.set_cookie("b", max_age=0, path="/b", secure=True)
    response.headers.append("vary", "X-A")
    return response


@endpoint
async def redirect(world: World, request: Any) -> Any:
    return world.ns.RedirectResponse("/away?é", 303)


@endpoint
async def scope_writer(world: World, request: Any) -> Any:
    """What it sets is seen by whoever shares the scope."""
    request.scope["written"] = "by the endpoint"
    request.state.written = getattr(request.state, "given", "none")
    return world.ns.JSONResponse(sorted(request.scope.get("state", ())))


@endpoint
async def pausing(world: World, request: Any) -> Any:
    for number in range(3):
        world.tell("endpoint", number)
        await anyio.lowlevel.checkpoint()
    return world.ns.PlainTextResponse("after some pauses")


def _reused(world: World, who: str) -> Any:
    response = world.ns.PlainTextResponse("made once")

    async def again(request: Any) -> Any:
        response.headers["x-count"] = str(len(response.headers))
        return response

    return again


reused = Part("reused", _reused, kind="endpoint")


@endpoint
async def views(world: World, request: Any) -> Any:
    return world.ns.Response(memoryview(b"seen through a view"), 206, media_type="text/plain")


@endpoint
async def own_class(world: World, request: Any) -> Any:
    class Own(world.ns.PlainTextResponse):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell("endpoint", "answering")
            await super().__call__(scope, receive, send)
            world.tell("endpoint", "answered")

    return Own("own")


@endpoint
async def background(world: World, request: Any) -> Any:
    async def task(number: int) -> None:
        world.tell("background", number)
        await anyio.lowlevel.checkpoint()
        world.tell("background", number, "done")

    tasks = world.ns.BackgroundTasks()
    for number in range(3):
        tasks.add_task(task, number)
    return world.ns.PlainTextResponse("background", background=tasks)


@endpoint(threads=True)
async def background_in_thread(world: World, request: Any) -> Any:
    task = world.ns.BackgroundTask(world.tell, "background", "in a thread")
    return world.ns.PlainTextResponse("background", background=task)


def _in_thread(world: World, who: str) -> Any:
    def answer(request: Any) -> Any:
        world.tell(who, "in a thread")
        return world.ns.PlainTextResponse("in a thread")

    return answer


in_thread = Part("in_thread", _in_thread, kind="endpoint", threads=True)


@endpoint
async def calls_a_response(world: World, request: Any) -> Any:
    """Answers by itself, and returns a response that is no answer."""

    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        world.tell("endpoint", "nothing more")

    response = world.ns.PlainTextResponse("by hand")
    await response(request.scope, request.receive, request._send)
    return nothing


@endpoint
async def sends_twice(world: World, request: Any) -> Any:
    """A whole answer by `_send`, then another one."""
    response = world.ns.PlainTextResponse("first")
    await response(request.scope, request.receive, request._send)
    return world.ns.PlainTextResponse("second")


@endpoint
async def starts_twice(world: World, request: Any) -> Any:
    await request._send({"type": Start, "status": 202, "headers": [(b"x", b"y")]})
    return world.ns.PlainTextResponse("second")


@endpoint
async def returns_nothing(world: World, request: Any) -> Any:
    return None


@asgi
async def silent(world: World, scope: Any, receive: Any, send: Any) -> None:
    """Ends without an answer."""


@asgi(lanes=True)
async def start_only(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})


@asgi(lanes=True)
async def unfinished(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": Body, "body": b"to be continued", "more_body": True})


@asgi
async def bare(world: World, scope: Any, receive: Any, send: Any) -> None:
    """Leaves out whatever may be left out."""
    await send({"type": Start, "status": 200})
    await send({"type": Body})


@asgi(lanes=True)
async def tuples(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": ((b"content-length", b"2"), (b"A", b"b"))})
    await send({"type": Body, "body": b"ok", "more_body": False})


@asgi(lanes=True)
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


@asgi(lanes=True)
async def trailers(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": [], "trailers": True})
    await send({"type": Body, "body": b"with trailers" * 100})
    await send(
        {"type": "http.response.trailers", "headers": [(b"a", b"b")], "more_trailers": False}
    )


@asgi(lanes=True)
async def streamed_trailers(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": [], "trailers": True})
    await send({"type": Body, "body": b"with", "more_body": True})
    await send({"type": "http.response.trailers", "headers": [(b"a", b"b")]})
    await send({"type": Body, "body": b"trailers"})


@asgi(lanes=True)
async def hints(world: World, scope: Any, receive: Any, send: Any) -> None:
    for link in (b"</a>", b"</b>"):
        await send({"type": "http.response.early_hint", "links": [link]})
        world.tell("endpoint", "has hinted")
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": Body, "body": b"hinted"})


@asgi(lanes=True)
async def only_hints(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.early_hint", "links": [b"</a>"]})


@asgi(lanes=True)
async def late_hint(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": "http.response.early_hint", "links": [b"</a>"]})


@asgi(lanes=True)
async def debugging(world: World, scope: Any, receive: Any, send: Any) -> None:
    for number in (1, 2):
        await send({"type": "http.response.debug", "info": {"n": number}})
    await send({"type": Start, "status": 200, "headers": [(b"x", b"y")]})
    await send({"type": Body, "body": b"debugged"})


@asgi(lanes=True)
async def path_sender(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Start, "status": 200, "headers": []})
    await send({"type": "http.response.pathsend", "path": "/etc/hostname"})
    world.tell("endpoint", "has sent a path")


@asgi(lanes=True)
async def pushing(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.push", "path": "/style.css", "headers": []})


@asgi(lanes=True)
async def body_first(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": Body, "body": b"no start"})


@asgi
async def mounted_endpoint(world: World, scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that uses what Starlette left in the scope."""
    world.tell("endpoint", sorted(scope), scope["path"], scope.get("root_path"))
    response = world.ns.JSONResponse(dict(scope.get("path_params", {})))
    await told(world, "response", response(scope, receive, send))


PLAIN = (
    *(plain, json, long, empty, not_modified, cookies, redirect, scope_writer, pausing, reused),
    *(views, own_class, background, background_in_thread, in_thread, calls_a_response),
    *(sends_twice, starts_twice, returns_nothing),
)
RAW = (
    *(silent, start_only, unfinished, bare, tuples, pieces, goes_on, trailers, streamed_trailers),
    *(hints, only_hints, late_hint, debugging, path_sender, pushing, body_first, mounted_endpoint),
)
