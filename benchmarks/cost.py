"""What one side costs beside the time of a request, measured in a process of its own.

``python -m benchmarks.cost MEASURE SIDE`` prints one number; `benchmarks.test_cost` runs it for
both sides in turn. A fresh process each time, so that nothing built before is counted or reused.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.asgi import ASGIApp, Client, ClientRequest, ask
from benchmarks.cases.middleware import adding_header
from benchmarks.cases.routing import route_table
from benchmarks.sides import SIDES, Side

__all__ = ["MEASURES", "main"]

_ROUTES = 10_000
_BUILT_ROUTES = 1_000
_SUSPENDED = 1_000
_TURNS = 30  # of the loop, until every request has arrived in its endpoint
_PATHS = 300_000
_WARM_UP_PATHS = 20_000
_KIB = 1024
_MIB = 1024 * 1024


def route_table_memory(side: Side) -> float:
    """MiB held by an application of 10,000 routes that has answered."""
    _answer(route_table(side, 4))
    with _Traced() as traced:
        app = route_table(side, _ROUTES)
        _answer(app)
        return traced.held() / _MIB


def build_time(side: Side) -> float:
    """CPU milliseconds to build 1,000 routes and answer the first request."""
    _answer(route_table(side, 4))
    gc.collect()
    start = time.process_time()
    _answer(route_table(side, _BUILT_ROUTES))
    return (time.process_time() - start) * 1000


def suspended_memory(side: Side) -> float:
    """KiB at the peak of 1,000 requests waiting in their endpoints, per request.

    The scope, the task and the driver are in it, as they are on a server.
    """
    return _suspended(_waiting_app(side, 0)) / _SUSPENDED / _KIB


def suspended_memory_below_three(side: Side) -> float:
    """The same where the endpoints are below three `BaseHTTPMiddleware`."""
    return _suspended(_waiting_app(side, 3)) / _SUSPENDED / _KIB


def distinct_paths(side: Side) -> float:
    """MiB of resident memory that 300,000 requests leave behind, no two of them of one path.

    Half are for items of one parameterised route, half for nothing that exists.
    """
    app = route_table(side, 8)

    def asking(first: int, count: int) -> None:
        for number in range(first, first + count, 2):
            _drive(app, f"/resources1/{number}/items/{number}")
            _drive(app, f"/missing/{number}")

    process = psutil.Process()
    asking(0, _WARM_UP_PATHS)  # whatever is filled once is full then
    gc.collect()
    before: int = process.memory_info().rss
    asking(1_000_000, _PATHS)
    gc.collect()
    return float(process.memory_info().rss - before) / _MIB


MEASURES: dict[str, Callable[[Side], float]] = {
    measure.__name__: measure
    for measure in (
        route_table_memory,
        build_time,
        suspended_memory,
        suspended_memory_below_three,
        distinct_paths,
    )
}


class _Traced:
    """Counts what is allocated within it, in bytes."""

    def __enter__(self) -> _Traced:
        gc.collect()
        tracemalloc.start()
        self._before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *exc_info: object) -> None:
        tracemalloc.stop()

    def held(self) -> int:
        """What is still there."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - self._before

    def peak(self) -> int:
        """The most that was there at once."""
        return tracemalloc.get_traced_memory()[1] - self._before


def _answer(app: ASGIApp) -> None:
    messages = asyncio.run(ask(app, ClientRequest(path="/resources0")))
    assert messages[0]["status"] == 200


def _drive(app: ASGIApp, path: str) -> None:
    request = ClientRequest(path=path)
    client = Client(request)
    try:
        app(request.scopes()(), client.receive, client.send).send(None)
    except StopIteration:
        return
    raise AssertionError(f"{path} waits for something")


def _waiting_app(side: Side, layers: int) -> ASGIApp:
    async def endpoint(request: Any) -> Any:
        await request.state.go.wait()
        return side.JSONResponse({"hello": "world"})

    cls = adding_header(side)
    middleware = [side.Middleware(cls, name=f"x-layer-{number}") for number in range(layers)]
    return side.application(routes=[side.Route("/items/{id:int}", endpoint)], middleware=middleware)


def _suspended(app: ASGIApp) -> int:
    return asyncio.run(_suspending(app))


async def _suspending(app: ASGIApp) -> int:
    request = ClientRequest(path="/items/4711")
    make_scope = request.scopes()
    go = asyncio.Event()

    async def one() -> None:
        client = Client(request)
        await app({**make_scope(), "state": {"go": go}}, client.receive, client.send)

    go.set()
    await one()
    go.clear()
    with _Traced() as traced:
        tasks = [asyncio.create_task(one()) for _ in range(_SUSPENDED)]
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        peak = traced.peak()
        go.set()
        await asyncio.gather(*tasks)
    return peak


def main(arguments: list[str]) -> int:
    """Print one measure of one side."""
    measure, side = arguments
    sys.stdout.write(f"{MEASURES[measure](SIDES[side])!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
