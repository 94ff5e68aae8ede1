"""Endpoints that answer with all kinds of responses, or look at the request in all ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from tests.differential.endpoints import Boom, attempt, tell
from tests.differential.part import ENDPOINTS, Part, endpoint, named_endpoint

if TYPE_CHECKING:
    from tests.differential.world import World


@endpoint(name="background")
async def answer(world: World, who: str, request: Any) -> Any:
    tasks = world.ns.BackgroundTasks()

    async def task(number: int) -> None:
        world.log.append(("background", who, number))
        if number == 2 and request.query_params:
            raise Boom("in the background")

    for number in (1, 2, 3):
        tasks.add_task(task, number)
    return world.ns.PlainTextResponse(who, background=tasks)


@endpoint(name="redirect")
async def redirect(world: World, request: Any) -> Any:
    return world.ns.RedirectResponse(request.url.replace(path="/é"), 303)


@endpoint(name="html")
async def page(world: World, request: Any) -> Any:
    response = world.ns.HTMLResponse("<b>é</b>", 404)
    response.headers.append("x-two", "2")
    response.delete_cookie("k")
    return response


@named_endpoint("own_response")
def _(world: World, label: str) -> Any:
    class Own(world.ns.Response):  # type: ignore[misc, name-defined]
        media_type = "text/own"
        charset = "latin-1"

        def render(self, content: Any) -> bytes:
            world.log.append(("render", content))
            return str(content).encode("latin-1")

        def init_headers(self, headers: Any = None) -> None:
            world.log.append(("init_headers", headers))
            super().init_headers({"x-own": "1", **(headers or {})})

    async def own(request: Any) -> Any:
        return Own("é")

    return own


@endpoint(name="memoryview")
async def view(world: World, request: Any) -> Any:
    response = world.ns.Response(memoryview(b"abc"), 206, media_type="text/plain")
    response.body = memoryview(b"other")
    return response


def _chunks(world: World, label: str, pause: bool) -> Any:
    async def chunks() -> AsyncIterator[str | bytes]:
        for chunk in ("one", b"two", "é"):
            world.log.append(("chunk", chunk))
            yield chunk
            if pause:
                await anyio.sleep(0)
        # Not in a `finally`: when a forgotten generator is closed is up to the collector.
        world.log.append(("chunks are over", label))

    return chunks()


def _streaming(name: str, content: Callable[[World, str], Any], **more: Any) -> None:
    @named_endpoint(name, waits=True)
    def _(world: World, label: str) -> Any:
        async def stream(request: Any) -> Any:
            tell(world, label, request)
            world.quiet = True  # when it listens for the disconnect is nobody's business

            async def after() -> None:
                world.log.append(("background", label))

            return world.ns.StreamingResponse(
                content(world, label), background=world.ns.BackgroundTask(after), **more
            )

        return stream


async def _endless(world: World, label: str) -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"more"
            await anyio.sleep(0)
    finally:
        world.log.append(("chunks are over", label))


async def _breaking(world: World) -> AsyncIterator[bytes]:
    yield b"one"
    raise Boom("in the stream")


_streaming("stream", lambda world, label: _chunks(world, label, pause=False))
_streaming("stream_pausing", lambda world, label: _chunks(world, label, pause=True))
_streaming("stream_sync", lambda world, label: iter(["a", b"b"]), media_type="text/plain")
_streaming("stream_endless", _endless)
_streaming("stream_breaking", lambda world, label: _breaking(world), status_code=202)
_streaming("stream_wrong", lambda world, label: [1, 2])
_streaming("stream_empty", lambda world, label: (), headers={"content-length": "0"})


@endpoint(name="file", waits=True)
async def file(world: World, request: Any) -> Any:
    return world.ns.FileResponse(Path(__file__).with_name("__init__.py"), filename="é.txt")


@endpoint(name="is_disconnected", waits=True)
async def ask(world: World, request: Any) -> Any:
    world.quiet = True
    first = await request.is_disconnected()
    body = attempt(lambda: request._is_disconnected)
    return world.ns.JSONResponse([first, body, await request.is_disconnected()])


@endpoint(name="stream_body")
async def collect(world: World, request: Any) -> Any:
    parts = [chunk async for chunk in request.stream()]
    world.log.append(("parts", parts))
    return world.ns.JSONResponse({"body": (await request.body()).decode()})


@endpoint(name="parse")
async def parse(world: World, request: Any) -> Any:
    form = await request.form()
    return world.ns.JSONResponse([list(form.multi_items()), await request.json()])


@endpoint(name="own_send")
async def early(world: World, request: Any) -> Any:
    await request._send({"type": "http.response.start", "status": 202, "headers": []})
    return world.ns.Response(b"and again")


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


reused = ENDPOINTS["reused"]


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
    await request._send({"type": "http.response.start", "status": 202, "headers": [(b"x", b"y")]})
    return world.ns.PlainTextResponse("second")


@endpoint(name="returns_none")
async def returns_nothing(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)


PLAIN = (
    *(plain, json, long, empty, not_modified, cookies, redirect, scope_writer, pausing, reused),
    *(views, own_class, background, background_in_thread, in_thread, calls_a_response),
    *(sends_twice, starts_twice, returns_nothing),
)
