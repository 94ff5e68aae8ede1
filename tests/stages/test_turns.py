"""How many turns of the event loop a request takes below `call_next`: fewer than on Starlette."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.asgi import Ask

START = {"type": "http.response.start", "status": 200, "headers": []}


class Counting(asyncio.SelectorEventLoop):
    """An event loop that counts its turns."""

    turns = 0

    def _run_once(self) -> None:
        self.turns += 1
        super()._run_once()  # type: ignore[misc]


async def dispatch(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
    return await call_next(request)


async def in_pieces(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    for number in range(4):
        await send({"type": "http.response.body", "body": b"x", "more_body": number < 3})


async def after_waiting(scope: Any, receive: Any, send: Any) -> None:
    answer = asyncio.get_running_loop().create_future()
    answer.get_loop().call_soon(answer.set_result, b"x")
    body = await answer
    await send(START)
    await send({"type": "http.response.body", "body": body})


def turns(package: str, app: Any) -> int:
    """How many turns one request takes that follows another."""
    middleware = importlib.import_module(f"{package}.middleware.base").BaseHTTPMiddleware
    layered = middleware(app, dispatch=dispatch)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def main() -> int:
        loop: Any = asyncio.get_running_loop()
        await layered(Ask("/").scope(), receive, send)
        for _ in range(5):
            await asyncio.sleep(0)  # nothing of the first one is left
        before: int = loop.turns
        await layered(Ask("/").scope(), receive, send)
        return int(loop.turns) - before

    with asyncio.Runner(loop_factory=Counting) as runner:
        return runner.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start eagerly since Python 3.12")
@pytest.mark.parametrize(("app", "fewer"), [(in_pieces, 2), (after_waiting, 4)])
def test_turns_are_left_out(app: Any, fewer: int) -> None:
    """Those of the beginning, and those of an end that nobody but the middleware waits for."""
    assert turns("turbostar", app) <= turns("starlette", app) - fewer
