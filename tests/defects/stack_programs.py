"""Programs about middleware one above the other, and what each sees of it."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from tests.defects.answer_programs import serving
from tests.defects.middleware_programs import ORIGINS
from tests.defects.program import program
from tests.fast_path.serving import Names, post

SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


def dispatching(names: Names, label: str) -> Any:
    """A middleware that leaves its traces everywhere."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        log = request.scope["log"]
        log.append(f"{label} before, {SEEN.get()}")
        token = SEEN.set(label)
        try:
            response = await call_next(request)
            log.append(f"{label} after, {SEEN.get()}, {response.status_code}")
        except LookupError as exc:
            log.append(f"{label} caught {exc}")
            response = names.PlainTextResponse("caught", 500)
        finally:
            SEEN.reset(token)
        response.headers[f"x-{label}"] = "passed"
        if request.url.query == "task":
            response.background = names.BackgroundTask(after, log, label)
        if request.url.query == "iterator":
            response.body_iterator = others()
        if request.url.query == "replaced":
            body = b"".join([chunk async for chunk in response.body_iterator])
            return names.Response(body + b" and more", response.status_code)
        return response

    return names.Middleware(names.BaseHTTPMiddleware, dispatch=dispatch)


async def others() -> Any:
    yield b"other"
    yield b"chunks"


async def failing() -> None:
    raise LookupError("in the background")


async def after(log: list[str], label: str) -> None:
    log.append(f"{label} in the background, {SEEN.get()}")


def traced(names: Names) -> Any:
    async def answer(request: Any) -> Any:
        log = request.scope["log"]
        log.append(f"endpoint, {SEEN.get()}")
        SEEN.set("the endpoint")
        kind = request.url.query
        task = names.BackgroundTask(after, log, "endpoint")
        if kind == "failing":
            return names.PlainTextResponse("hello", background=names.BackgroundTask(failing))
        if kind == "error":
            raise LookupError("of the endpoint")
        if kind == "http":
            raise names.HTTPException(409, "conflict")
        if kind == "waits":
            await asyncio.sleep(0)
        if kind == "body":
            return names.PlainTextResponse(repr(await request.body()))
        if kind == "stream":

            async def chunks() -> Any:
                yield "one"
                yield "two"

            return names.StreamingResponse(chunks(), background=task)
        return names.PlainTextResponse("hello " * 200, background=task if kind else None)

    return answer


KINDS = (
    b"",
    b"task",
    b"error",
    b"http",
    b"waits",
    b"body",
    b"stream",
    b"replaced",
    b"background",
    b"iterator",
    b"failing",
)


@program
def dispatched(names: Names) -> Any:
    """One BaseHTTPMiddleware, two, and two with each other middleware between them."""
    make = names.Middleware
    one, two = dispatching(names, "one"), dispatching(names, "two")
    between = [
        [],
        [make(names.GZipMiddleware)],
        [make(names.CORSMiddleware, allow_origins=["*"])],
        [make(names.SessionMiddleware, secret_key="s")],
        [make(names.TrustedHostMiddleware, allowed_hosts=["example.org"])],
        [make(names.RequestBodyLimitMiddleware, max_body_size=100)],
    ]
    stacks = [[], *([one, *stage] for stage in between), *([one, *s, two] for s in between)]
    apps = [serving(names, traced(names), *stack) for stack in stacks]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["number"]](scope, receive, send)

    headers = [(b"accept-encoding", b"gzip"), ORIGINS[0]]
    return app, [
        post("/", b"body", *headers, query=kind, more=(("number", number),))
        for number in range(len(apps))
        for kind in KINDS
    ] * 2


def quiet(names: Names) -> Any:
    """A pure ASGI middleware that has something to do afterwards, and no `send` of its own."""

    class Quiet:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["log"].append("quiet before")
            await self.app(scope, receive, send)
            scope["log"].append("quiet after")

    return Quiet


@program
def foreign_middleware(names: Names) -> Any:
    """A pure ASGI middleware hears of each message, wherever it stands."""

    class Foreign:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def hearing(message: Any) -> None:
                scope["log"].append(f"heard {message['type']} {len(message.get('body', b''))}")
                await send(message)

            scope["log"].append("foreign before")
            await self.app(scope, receive, hearing)
            scope["log"].append("foreign after")

    make = names.Middleware
    stacks = [
        [dispatching(names, "one"), make(quiet(names))],
        [dispatching(names, "one"), make(names.GZipMiddleware), make(quiet(names))],
        [dispatching(names, "one"), make(quiet(names)), dispatching(names, "two")],
        [make(Foreign)],
        [make(Foreign), dispatching(names, "one")],
        [dispatching(names, "one"), make(Foreign)],
        [make(names.GZipMiddleware), make(Foreign), make(names.CORSMiddleware)],
    ]
    apps = [serving(names, traced(names), *stack) for stack in stacks]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["number"]](scope, receive, send)

    return app, [
        post("/", b"body", query=kind, more=(("number", number),))
        for number in range(len(apps))
        for kind in KINDS
    ]
