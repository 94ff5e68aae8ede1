"""The application of the soak: stacks of middleware of different habits over the same routes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import anyio

from benchmarks.asgi import ASGIApp, Message, Receive, Scope, Send
from benchmarks.sides import Side
from tests.soak.endpoints import Handled, flight_of, headers, named, routes
from tests.soak.plans import Plan, stack

__all__ = ["SECRET", "application"]

SECRET = "a secret of the soak"

Next = Callable[[Any], Coroutine[Any, Any, Any]]
Habit = Callable[[Any, Next, Plan], Awaitable[Any]]


class _Stamp:
    """Pure ASGI middleware that wraps both `receive` and `send`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", b"yes")]
            await send(message)

        async def received() -> Message:
            return await receive()

        await self.app(scope, received, stamped)


class _Jitter:
    """Transparent, but gives others a turn: stock with it must be as stock without it."""

    def __init__(self, app: ASGIApp, turns: int) -> None:
        self.app = app
        self.turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def delayed(message: Message) -> None:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            await send(message)

        for _ in range(self.turns):
            await asyncio.sleep(0)
        await self.app(scope, receive, delayed)


def _adding_header(web: Side) -> type[Any]:
    """The commonest habit."""

    class AddHeader(web.BaseHTTPMiddleware):  # type: ignore[misc,name-defined]
        async def dispatch(self, request: Any, call_next: Next) -> Any:
            request.state.layers = getattr(request.state, "layers", 0) + 1
            response = await call_next(request)
            response.headers["x-layers"] = str(request.state.layers)
            return response

    return AddHeader


def _reading(web: Side) -> type[Any]:
    """Looks at the body first."""

    class ReadBody(web.BaseHTTPMiddleware):  # type: ignore[misc,name-defined]
        async def dispatch(self, request: Any, call_next: Next) -> Any:
            flight = flight_of(request)
            reads, found = flight.plan.reads, b""
            if reads == "body":
                found = await request.body()
            elif reads == "json":
                with contextlib.suppress(ValueError):
                    await request.json()
            elif reads == "stream":
                async for piece in request.stream():
                    found += piece
            elif reads == "first-piece":
                async with contextlib.aclosing(request.stream()) as stream:
                    found = await anext(stream)
            if reads != "nothing":
                flight.tell(f"middleware read {len(found)}")
            response = await call_next(request)
            response.headers.append("x-read", str(len(found)))
            return response

    return ReadBody


def _acting(web: Side) -> type[Any]:
    """Does what the plan says: one of the habits."""
    habits = {**_refusing(web), **_wrapping(web), **_impatient(web)}

    class Act(web.BaseHTTPMiddleware):  # type: ignore[misc,name-defined]
        async def dispatch(self, request: Any, call_next: Next) -> Any:
            flight = flight_of(request)
            plan = flight.plan
            if plan.before:
                await asyncio.sleep(plan.before)
            flight.tell("habit")
            try:
                response = await habits[plan.habit](request, call_next, plan)
                if plan.after:
                    await asyncio.sleep(plan.after)
            except BaseException as exc:
                flight.tell(f"habit: {type(exc).__name__}")
                raise
            return response

    return Act


def _refusing(web: Side) -> dict[str, Habit]:
    """Habits that give another answer than the application, or none."""

    async def passes(request: Any, call_next: Next, plan: Plan) -> Any:
        return await call_next(request)

    async def answers(request: Any, call_next: Next, plan: Plan) -> Any:
        return web.PlainTextResponse("by itself", 403, headers=headers(request))

    async def replaces(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        content = {"instead of": response.status_code}
        return web.JSONResponse(content, status_code=409, headers=headers(request))

    async def raises(request: Any, call_next: Next, plan: Plan) -> Any:
        raise PermissionError(f"habit of {plan.number}")

    async def raises_after(request: Any, call_next: Next, plan: Plan) -> Any:
        await call_next(request)
        await asyncio.sleep(plan.after)
        if plan.number % 2:
            raise web.HTTPException(451, "habit", headers=headers(request))
        raise PermissionError(f"habit of {plan.number}")

    async def rescues(request: Any, call_next: Next, plan: Plan) -> Any:
        try:
            return await call_next(request)
        except Exception as exc:
            content = {"rescued": type(exc).__name__, "text": str(exc)}
            return web.JSONResponse(content, status_code=500, headers=headers(request))

    return {
        "passes": passes,
        "answers": answers,
        "replaces": replaces,
        "raises": raises,
        "raises-after": raises_after,
        "rescues": rescues,
    }


def _wrapping(web: Side) -> dict[str, Habit]:
    """Habits that change the application's answer."""
    task = named(web, "background", "BackgroundTask")

    async def upper(content: Any) -> AsyncIterator[Any]:
        async for chunk in content:
            yield chunk.upper() if isinstance(chunk, bytes) else chunk

    async def edits(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        response.status_code += 1
        response.set_cookie("edited", str(plan.number))
        del response.headers["x-nothing"]
        return response

    async def collects(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        if "content-encoding" in response.headers:
            return response
        body = b"".join([c async for c in response.body_iterator if isinstance(c, bytes)])
        return web.Response(body + b".", response.status_code, headers=headers(request))

    async def wraps(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        if "content-encoding" in response.headers:
            return response
        content = upper(response.body_iterator)
        return web.StreamingResponse(content, response.status_code, headers=headers(request))

    async def peeks(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        if "content-encoding" not in response.headers:
            response.body_iterator = upper(response.body_iterator)
        return response

    async def background(request: Any, call_next: Next, plan: Plan) -> Any:
        response = await call_next(request)
        response.background = task(flight_of(request).tell, "background of a middleware")
        return response

    return {
        "edits": edits,
        "collects": collects,
        "wraps": wraps,
        "peeks": peeks,
        "background": background,
    }


def _impatient(web: Side) -> dict[str, Habit]:
    """Habits that do not simply await the application."""

    def too_late(request: Any) -> Any:
        return web.PlainTextResponse("too late", 504, headers=headers(request))

    async def by_asyncio(request: Any, call_next: Next, plan: Plan) -> Any:
        try:
            async with asyncio.timeout(plan.patience):
                return await call_next(request)
        except TimeoutError:
            return too_late(request)

    async def by_anyio(request: Any, call_next: Next, plan: Plan) -> Any:
        with anyio.move_on_after(plan.patience):
            return await call_next(request)
        return too_late(request)

    async def waits_for(request: Any, call_next: Next, plan: Plan) -> Any:
        try:
            return await asyncio.wait_for(call_next(request), plan.patience)
        except TimeoutError:
            return too_late(request)

    async def in_a_task(request: Any, call_next: Next, plan: Plan) -> Any:
        return await asyncio.ensure_future(call_next(request))

    async def in_a_group(request: Any, call_next: Next, plan: Plan) -> Any:
        async with asyncio.TaskGroup() as group:
            found = group.create_task(call_next(request))
            group.create_task(asyncio.sleep(1))
        return found.result()

    return {
        "asyncio-timeout": by_asyncio,
        "anyio-timeout": by_anyio,
        "wait-for": waits_for,
        "in-a-task": in_a_task,
        "in-a-group": in_a_group,
    }


def application(web: Side, name: str, seed: int, jitter: int = 0) -> ASGIApp:
    """The application in one stack of middleware.

    Args:
        web: the side whose classes it is built from.
        name: of the stack.
        seed: of the order of the stack "shuffled".
        jitter: turns of the loop given away between any two middleware.
    """
    parts: dict[str, Callable[[], Any]] = {
        "header": lambda: web.Middleware(_adding_header(web)),
        "reads": lambda: web.Middleware(_reading(web)),
        "habit": lambda: web.Middleware(_acting(web)),
        "pure": lambda: web.Middleware(_Stamp),
        "gzip": lambda: web.Middleware(web.GZipMiddleware),
        "session": lambda: web.Middleware(web.SessionMiddleware, secret_key=SECRET),
        "cors": lambda: web.Middleware(
            web.CORSMiddleware,
            allow_origins=["https://shop.example.org"],
            allow_methods=["GET", "DELETE"],
            allow_credentials=True,
        ),
    }

    async def handled(request: Any, exc: Exception) -> Any:
        return web.JSONResponse({"handled": str(exc)}, 422, headers=headers(request))

    async def failed(request: Any, exc: Exception) -> Any:
        return web.PlainTextResponse(f"failed: {exc}", 500, headers=headers(request))

    layers = [parts[part]() for part in stack(name, seed)]
    if jitter:
        delay = web.Middleware(_Jitter, turns=jitter)
        layers = [delay, *(one for layer in layers for one in (layer, delay))]
    return web.application(
        routes=routes(web),
        middleware=layers,
        exception_handlers={Handled: handled, **({500: failed} if name == "pure" else {})},
    )
