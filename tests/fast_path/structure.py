"""Shortcuts that cost calls or tasks of our own where they are lost, and none of Starlette's."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fast_path.case import Lost, in_mode
from tests.fast_path.recorder import Recorder
from tests.fast_path.serving import Names, get, serve

__all__ = ["CHECKS", "KINDS", "STAGES", "calls_for_ten_mounts", "tasks_after_call_next"]


def calls_to_serve(app: Any, path: str) -> int:
    """How many calls a request takes once everything is compiled."""
    recorder = Recorder()
    outcomes = serve(app, [get(path)], rounds=5, recorder=recorder)
    assert outcomes[0][0][0]["status"] == 200
    return recorder.calls


async def hello(names: Names) -> Any:
    return names.PlainTextResponse("hello")


def nested(names: Names, depth: int, *before: Any) -> Any:
    """An application with mounts within mounts, each with other routes before it."""

    async def endpoint(request: Any) -> Any:
        return await hello(names)

    routes: list[Any] = [names.Route("/end/{name}", endpoint)]
    for number in reversed(range(depth)):
        routes = [
            *before,
            names.Mount("/other", routes=[names.Route("/", endpoint)]),
            names.Mount(f"/m{number}", routes=routes),
        ]
    return names.Starlette(routes=routes)


def path_of(depth: int) -> str:
    return "".join(f"/m{number}" for number in range(depth)) + "/end/x"


def calls_for_ten_mounts(mode: str, *, is_hidden: bool = False) -> int:
    """How many calls ten mounts more take on the way to an endpoint.

    Args:
        is_hidden: a route that might match the path stands before each of them, so that they
            must be entered one after the other.
    """
    with in_mode(mode) as names:

        async def endpoint(request: Any) -> Any:
            return await hello(names)

        before = [names.Route("/{all:path}", endpoint, methods=["POST"])] if is_hidden else []
        few = calls_to_serve(nested(names, 2, *before), path_of(2))
        return calls_to_serve(nested(names, 12, *before), path_of(12)) - few


def check_mounts(mode: str) -> None:
    """Mounts at literal paths cost no more than to find where their segments end."""
    calls = calls_for_ten_mounts(mode)
    if calls > 20:
        raise Lost(f"ten mounts take {calls} calls, not 20: they are entered one by one")


KINDS = ("static", "dynamic", "miss", "name")


def _calls_among(mode: str, kind: str, count: int) -> int:
    with in_mode(mode) as names:

        async def endpoint(request: Any) -> Any:
            if kind == "name":
                request.scope["router"].url_path_for(f"r{count - 1}", id=7)
            return await hello(names)

        template = "/r{}" if kind == "static" else "/r{}/{{id:int}}"
        routes: list[Any] = [
            names.Route(template.format(number), endpoint, name=f"r{number}")
            for number in range(count)
        ]
        path = f"/r{count - 1}" + "/7" * (kind != "static")
        if kind == "miss":
            routes.insert(0, names.Route("/{a}/{b}/{c}", endpoint))
            path = "/1/2/3"
        return calls_to_serve(names.Starlette(routes=routes), path)


def check_indexes(mode: str) -> None:
    """Among 400 routes a request takes as many calls as among four."""
    for kind in KINDS:
        few, many = _calls_among(mode, kind, 4), _calls_among(mode, kind, 400)
        if many > few:
            raise Lost(f"{kind}: 400 routes take {many} calls, and four {few}")


STAGES = ("nothing", "cors", "gzip", "sessions", "trusted host", "https redirect", "itself")


async def _unchanged(request: Any, call_next: Any) -> Any:
    return await call_next(request)


def _middleware(names: Names, stage: str) -> list[Any]:
    make = names.Middleware
    return {
        "nothing": list,
        "cors": lambda: [make(names.CORSMiddleware, allow_origins=["*"])],
        "gzip": lambda: [make(names.GZipMiddleware)],
        "sessions": lambda: [make(names.SessionMiddleware, secret_key="secret")],
        "trusted host": lambda: [make(names.TrustedHostMiddleware, allowed_hosts=["*.org"])],
        "itself": lambda: [make(names.BaseHTTPMiddleware, dispatch=_unchanged)],
        "https redirect": lambda: [make(names.HTTPSRedirectMiddleware)],
    }[stage]()


def tasks_after_call_next(mode: str, stage: str) -> int:
    """How many tasks there are once `call_next` has returned, that of the request included.

    Args:
        stage: the middleware that stands below it.
    """
    counted: list[int] = []

    async def dispatch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        counted.append(len(asyncio.all_tasks()))
        return response

    with in_mode(mode) as names:

        async def endpoint(request: Any) -> Any:
            return await hello(names)

        outer = names.Middleware(names.BaseHTTPMiddleware, dispatch=dispatch)
        middleware = [outer, *_middleware(names, stage)]
        app = names.Starlette(routes=[names.Route("/", endpoint)], middleware=middleware)
        ask = get("/", (b"accept-encoding", b"gzip"), more=(("scheme", "https"),))
        (outcome,) = serve(app, [ask], rounds=3)
    assert outcome[0][0]["status"] == 200
    return counted[-1]


def check_unsent(mode: str) -> None:
    """Below a BaseHTTPMiddleware all has ended when `call_next` returns: nobody waits to send."""
    for stage in STAGES:
        tasks = tasks_after_call_next(mode, stage)
        if tasks > 1:
            raise Lost(f"call_next above {stage} has left {tasks - 1} tasks waiting")


#: Each takes a mode and raises `Lost`.
CHECKS = (check_mounts, check_indexes, check_unsent)
