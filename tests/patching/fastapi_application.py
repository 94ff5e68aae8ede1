"""The application of `application`, written with FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import fastapi
from fastapi.responses import StreamingResponse

from tests.patching.application import Handled, middleware_of, names
from tests.patching.asking import LOG


def build(package: str, *, middleware: bool) -> Any:
    """Build the application; FastAPI is looked up now, for an instrumentation may replace it."""
    n = names(package)
    app = fastapi.FastAPI(middleware=middleware_of(n) if middleware else [])

    @app.get("/")
    async def home() -> dict[str, str]:
        LOG.append("home")
        return {"hello": "world"}

    @app.get("/sync")
    def sync() -> str:
        LOG.append("sync")
        return "sync"

    @app.get("/items/{id}")
    async def item(id: int) -> int:
        return id

    @app.get("/class")
    async def get() -> str:
        return "get"

    @app.post("/class")
    def post() -> str:
        return "post"

    @app.post("/echo")
    async def echo(document: dict[str, Any]) -> dict[str, Any]:
        return document

    @app.get("/teapot")
    async def teapot() -> None:
        raise fastapi.HTTPException(418, "short and stout", headers={"x-pot": "tea"})

    @app.get("/unavailable")
    async def unavailable() -> None:
        raise fastapi.HTTPException(503)

    @app.get("/sync-unavailable")
    def sync_unavailable() -> None:
        raise fastapi.HTTPException(503, "closed")

    @app.get("/handled")
    async def handled() -> None:
        raise Handled("handled")

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("boom")

    @app.get("/sync-boom")
    def sync_boom() -> None:
        raise ValueError("sync boom")

    @app.get("/background")
    async def background(tasks: fastapi.BackgroundTasks) -> list[str]:
        tasks.add_task(LOG.append, "work")
        return []

    @app.get("/later-boom")
    async def later_boom(tasks: fastapi.BackgroundTasks) -> list[str]:
        def failing_work() -> None:
            raise ValueError("later boom")

        tasks.add_task(failing_work)
        return []

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            for letter in "abc":
                yield letter

        return StreamingResponse(chunks())

    @app.websocket("/socket")
    async def socket(websocket: fastapi.WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    @app.websocket("/socket-boom")
    async def socket_boom(websocket: fastapi.WebSocket) -> None:
        await websocket.accept()
        raise ValueError("socket boom")

    @app.exception_handler(Handled)
    async def answer(request: Any, exc: Exception) -> Any:
        LOG.append("handler")
        return n.JSONResponse({"error": str(exc)}, status_code=400)

    group = fastapi.APIRouter(prefix="/group")
    group.add_api_route("/inner/{id}", item)
    group.add_api_route("/teapot", teapot)
    app.include_router(group)
    inner = fastapi.FastAPI()
    inner.add_api_route("/inner", home)
    inner.add_api_route("/boom", boom)
    app.mount("/app", inner)
    return app
