"""The endpoints of the soak: one for each kind of request, written once for both sides.

Each tells what it does to the `Flight` of its request, and answers with the id that it was asked
for, so that an answer that reaches another request is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio

from benchmarks.asgi import Receive, Scope, Send
from benchmarks.sides import Side
from tests.soak.flight import Flight

__all__ = ["Handled", "named", "routes"]

_PAGE = b"A line of a page that is worth compressing.\n" * 40
_FILE = Path(__file__).with_name("plans.py")
_OWN_TIMEOUT = 2.0625

Endpoint = Callable[[Any], Any]


class Handled(Exception):
    """An exception for which the application has a handler."""


def named(web: Side, module: str, name: str) -> Any:
    """A name of a side's package that `benchmarks.sides` does not know."""
    return getattr(importlib.import_module(f"{web.package}.{module}"), name)


def flight_of(request: Any) -> Flight:
    """What is written down about this request."""
    flight: Flight = request.scope["state"]["flight"]
    return flight


def answered(request: Any) -> dict[str, Any]:
    """What an answer says: which request it is for, by its own query."""
    return {"id": request.query_params["id"], "kind": request.path_params.get("kind", "")}


def headers(request: Any) -> dict[str, str]:
    """The header by which the client finds out whose answer it got."""
    return {"x-id": request.query_params["id"]}


async def worked(request: Any) -> Flight:
    """Wait as long as the plan says; tell that the endpoint ran, and how it ended."""
    flight = flight_of(request)
    flight.tell("endpoint")
    try:
        await asyncio.sleep(flight.plan.delay)
    except BaseException as exc:
        flight.tell(f"endpoint: {type(exc).__name__}")
        raise
    return flight


async def chunks(flight: Flight, raises: bool = False, endless: bool = False) -> AsyncIterator[str]:
    """The pieces of a streamed answer."""
    plan, number = flight.plan, 0
    flight.tell("stream")
    try:
        while endless or number < plan.chunks:
            if plan.gap:
                await asyncio.sleep(plan.gap)
            if raises and number == plan.raises_at:
                raise ValueError(f"stream of {plan.number}")
            yield f"{plan.number}: chunk {number}\n"
            number += 1
    finally:
        flight.tell("stream closed")


def _simple(web: Side) -> dict[str, Endpoint]:
    async def json(request: Any) -> Any:
        await worked(request)
        return web.JSONResponse(answered(request), headers=headers(request))

    async def page(request: Any) -> Any:
        await worked(request)
        return web.Response(_PAGE, headers=headers(request), media_type="text/html")

    async def echo(request: Any) -> Any:
        flight = flight_of(request)
        body = await request.body()
        flight.tell(f"read {len(body)}")
        await worked(request)
        return web.Response(body, headers=headers(request))

    async def first_piece(request: Any) -> Any:
        flight = flight_of(request)
        async with contextlib.aclosing(request.stream()) as stream:
            piece = await anext(stream)
        flight.tell(f"read {len(piece)}")
        await worked(request)
        return web.Response(piece, status_code=202, headers=headers(request))

    async def empty(request: Any) -> Any:
        await worked(request)
        return web.Response(status_code=204, headers=headers(request))

    async def session(request: Any) -> Any:
        await worked(request)
        before = dict(request.session)
        request.session["visits"] = before.get("visits", 0) + 1
        if before.get("user") == "ada" and flight_of(request).plan.number % 3 == 0:
            request.session.clear()
        return web.JSONResponse({**answered(request), "before": before}, headers=headers(request))

    def in_thread(request: Any) -> Any:
        flight_of(request).tell("endpoint")
        return web.PlainTextResponse("from a thread", headers=headers(request))

    async def refuses(request: Any) -> Any:
        await worked(request)
        raise web.HTTPException(418, "no coffee", headers=headers(request))

    async def raises(request: Any) -> Any:
        flight = await worked(request)
        try:
            raise KeyError("the cause")
        except KeyError as cause:
            raise ValueError(f"endpoint of {flight.plan.number}") from cause

    async def handled(request: Any) -> Any:
        flight = await worked(request)
        raise Handled(f"endpoint of {flight.plan.number}")

    async def hints(request: Any) -> Any:
        await request.send_early_hints("</style.css>; rel=preload")
        await worked(request)
        return web.JSONResponse(answered(request), headers=headers(request))

    return {
        "json": json,
        "page": page,
        "echo": echo,
        "first-piece": first_piece,
        "redirected": json,
        "preflight": json,
        "empty": empty,
        "session": session,
        "in-thread": in_thread,
        "refuses": refuses,
        "raises": raises,
        "handled": handled,
        "hints": hints,
    }


def _background(web: Side) -> dict[str, Endpoint]:
    task = named(web, "background", "BackgroundTask")
    tasks = named(web, "background", "BackgroundTasks")

    async def later(flight: Flight, number: int) -> None:
        flight.tell(f"background {number}")
        await asyncio.sleep(flight.plan.background)
        flight.tell(f"background {number} done")

    async def fails(flight: Flight) -> None:
        await later(flight, 2)
        raise ValueError(f"background task of {flight.plan.number}")

    async def background(request: Any) -> Any:
        flight = await worked(request)
        both = tasks([task(later, flight, 1), task(later, flight, number=2)])
        return web.JSONResponse(answered(request), headers=headers(request), background=both)

    async def background_raises(request: Any) -> Any:
        flight = await worked(request)
        both = tasks([task(later, flight, 1), task(fails, flight), task(later, flight, 3)])
        return web.JSONResponse(answered(request), headers=headers(request), background=both)

    async def background_in_thread(request: Any) -> Any:
        flight = await worked(request)
        return web.PlainTextResponse(
            "x", headers=headers(request), background=task(flight.tell, "background in a thread")
        )

    async def stream_background(request: Any) -> Any:
        flight = await worked(request)
        return web.StreamingResponse(
            chunks(flight), headers=headers(request), background=task(later, flight, 1)
        )

    return {
        "background": background,
        "background-raises": background_raises,
        "background-in-thread": background_in_thread,
        "stream-background": stream_background,
    }


def _sent_in_parts(web: Side) -> dict[str, Endpoint]:
    file_response = named(web, "responses", "FileResponse")

    async def stream(request: Any) -> Any:
        flight = await worked(request)
        content = chunks(flight)
        return web.StreamingResponse(content, headers=headers(request), media_type="text/plain")

    async def stream_raises(request: Any) -> Any:
        content = chunks(await worked(request), raises=True)
        return web.StreamingResponse(content, headers=headers(request))

    async def endless(request: Any) -> Any:
        content = chunks(await worked(request), endless=True)
        return web.StreamingResponse(content, headers=headers(request))

    async def stream_in_thread(request: Any) -> Any:
        flight = await worked(request)

        def content() -> Iterator[bytes]:
            for number in range(flight.plan.chunks):
                yield b"%d: chunk %d\n" % (flight.plan.number, number)

        return web.StreamingResponse(content(), headers=headers(request))

    async def file(request: Any) -> Any:
        await worked(request)
        return file_response(_FILE, headers=headers(request))

    return {
        "stream": stream,
        "stream-raises": stream_raises,
        "endless": endless,
        "stream-in-thread": stream_in_thread,
        "file": file,
        "path-sent": file,
    }


def _waiting(web: Side) -> dict[str, Endpoint]:
    async def until_gone(request: Any) -> Any:
        flight = await worked(request)
        while (await request.receive())["type"] != "http.disconnect":
            flight.tell("message")
        flight.tell("saw the client go")
        return web.JSONResponse(answered(request), headers=headers(request))

    async def polls(request: Any) -> Any:
        flight = await worked(request)
        for _ in range(6):
            if await request.is_disconnected():
                flight.tell("found the client gone")
                break
            await asyncio.sleep(1)
        return web.JSONResponse(answered(request), headers=headers(request))

    async def own_timeout(request: Any) -> Any:
        try:
            async with asyncio.timeout(_OWN_TIMEOUT):
                await worked(request)
        except TimeoutError:
            return web.PlainTextResponse("too late", 504, headers=headers(request))
        with anyio.move_on_after(_OWN_TIMEOUT) as scope:
            await asyncio.sleep(flight_of(request).plan.delay)
        return web.JSONResponse([scope.cancelled_caught], headers=headers(request))

    async def task_group(request: Any) -> Any:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(worked, request)
        return web.JSONResponse(answered(request), headers=headers(request))

    return {
        "until-gone": until_gone,
        "polls": polls,
        "own-timeout": own_timeout,
        "task-group": task_group,
    }


class _Raw:
    """An ASGI application that sends for itself."""

    def __init__(self, raises: bool) -> None:
        self.raises = raises

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        flight: Flight = scope["state"]["flight"]
        number = scope["query_string"].partition(b"=")[2]
        flight.tell("endpoint")
        await asyncio.sleep(flight.plan.delay)
        await send({"type": "http.response.start", "status": 203, "headers": [(b"x-id", number)]})
        async for chunk in chunks(flight, raises=self.raises):
            body = chunk.encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})
        flight.tell("sent all")


class _Silent:
    """An ASGI application that returns without having answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["flight"].tell("endpoint")


def routes(web: Side) -> list[Any]:
    """The routes of the application."""
    endpoints = {**_simple(web), **_background(web), **_sent_in_parts(web), **_waiting(web)}
    plain = [
        web.Route(f"/{kind}", endpoint, methods=["GET", "POST"])
        for kind, endpoint in endpoints.items()
    ]
    return [
        *plain,
        web.Route("/wrong-method", endpoints["json"]),
        web.Route("/raw", _Raw(raises=False)),
        web.Route("/raw-raises", _Raw(raises=True)),
        web.Route("/silent", _Silent()),
        web.Mount("/mounted", routes=[web.Route("/{kind}", endpoints["json"])]),
    ]
