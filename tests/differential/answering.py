"""Endpoints that answer with all kinds of responses, or look at the request in all ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from tests.differential.endpoints import Boom, attempt, endpoint, tell

if TYPE_CHECKING:
    from tests.differential.build import World


@endpoint("background")
def _(world: World, label: str) -> Any:
    async def answer(request: Any) -> Any:
        tasks = world.ns.BackgroundTasks()

        async def task(number: int) -> None:
            world.log.append(("background", label, number))
            if number == 2 and request.query_params:
                raise Boom("in the background")

        for number in (1, 2, 3):
            tasks.add_task(task, number)
        return world.ns.PlainTextResponse(label, background=tasks)

    return answer


@endpoint("redirect")
def _(world: World, label: str) -> Any:
    async def away(request: Any) -> Any:
        return world.ns.RedirectResponse(request.url.replace(path="/é"), 303)

    return away


@endpoint("html")
def _(world: World, label: str) -> Any:
    async def page(request: Any) -> Any:
        response = world.ns.HTMLResponse("<b>é</b>", 404)
        response.headers.append("x-two", "2")
        response.delete_cookie("k")
        return response

    return page


@endpoint("own_response")
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


@endpoint("memoryview")
def _(world: World, label: str) -> Any:
    async def view(request: Any) -> Any:
        response = world.ns.Response(memoryview(b"abc"), 206, media_type="text/plain")
        response.body = memoryview(b"other")
        return response

    return view


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
    @endpoint(name, waits=True)
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


@endpoint("file", waits=True)
def _(world: World, label: str) -> Any:
    async def file(request: Any) -> Any:
        return world.ns.FileResponse(Path(__file__).with_name("__init__.py"), filename="é.txt")

    return file


@endpoint("is_disconnected", waits=True)
def _(world: World, label: str) -> Any:
    async def ask(request: Any) -> Any:
        world.quiet = True
        first = await request.is_disconnected()
        body = attempt(lambda: request._is_disconnected)
        return world.ns.JSONResponse([first, body, await request.is_disconnected()])

    return ask


@endpoint("stream_body")
def _(world: World, label: str) -> Any:
    async def collect(request: Any) -> Any:
        parts = [chunk async for chunk in request.stream()]
        world.log.append(("parts", parts))
        return world.ns.JSONResponse({"body": (await request.body()).decode()})

    return collect


@endpoint("parse")
def _(world: World, label: str) -> Any:
    async def parse(request: Any) -> Any:
        form = await request.form()
        return world.ns.JSONResponse([list(form.multi_items()), await request.json()])

    return parse


@endpoint("own_send")
def _(world: World, label: str) -> Any:
    async def early(request: Any) -> Any:
        await request._send({"type": "http.response.start", "status": 202, "headers": []})
        return world.ns.Response(b"and again")

    return early
