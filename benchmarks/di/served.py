"""Whole requests in process: turbostar with its container, against FastAPI with ``Depends``."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from benchmarks.di.services import Engine, Repo, Service, Session, Settings

__all__ = ["served"]


def ours() -> Any:
    """turbostar: three chained services, and two typed parameters."""
    import msgspec

    from turbostar.applications import Starlette
    from turbostar.di import Container, Inject, Query
    from turbostar.responses import JSONResponse
    from turbostar.routing import Route

    class Page(msgspec.Struct):
        size: int

    async def show(item_id: int, page: Query[Page], service: Inject[Service]) -> Any:
        return JSONResponse({"item": item_id, "size": page.size, "by": type(service).__name__})

    di = Container()
    for each in (Settings, Engine):
        di.add(each, scope="app")
    for each in (Session, Repo, Service):
        di.add(each)
    app = Starlette(routes=[Route("/items/{item_id:int}", show)], lifespan=di.lifespan)
    di.install(app)
    return app, di


def theirs() -> Any:
    """FastAPI: the same."""
    from fastapi import Depends, FastAPI

    engine = Engine(Settings())
    app = FastAPI()

    async def session() -> Session:
        return Session(engine)

    async def repo(session: Annotated[Session, Depends(session)]) -> Repo:
        return Repo(session)

    async def service(repo: Annotated[Repo, Depends(repo)]) -> Service:
        return Service(repo)

    @app.get("/items/{item_id}")
    async def show(
        item_id: int, size: int, service: Annotated[Service, Depends(service)]
    ) -> dict[str, Any]:
        return {"item": item_id, "size": size, "by": type(service).__name__}

    return app


async def served(rounds: int, number: int) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU time for a request, ours and FastAPI's."""
    ours_app, di = ours()
    try:
        theirs_app = theirs()
    except ImportError:
        return {}
    await di.start()
    sides = (ours_app, theirs_app)
    answers = [await _ask(app) for app in sides]
    assert answers[0] == answers[1] == b'{"item":3,"size":7,"by":"Service"}', answers
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for app, kept in zip(sides, times, strict=True):
            start = time.process_time_ns()
            for _ in range(number):
                await _ask(app)
            kept.append((time.process_time_ns() - start) / number / 1000)
    return {"whole request, µs (FastAPI)": (min(times[0]), min(times[1]))}


async def _receive() -> AsyncIterator[Any]:
    raise AssertionError("nobody reads the body")


async def _ask(app: Any) -> bytes:
    body = b""

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/items/3",
        "raw_path": b"/items/3",
        "query_string": b"size=7",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"x")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, _receive, send)
    return body
