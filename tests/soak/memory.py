"""What 1,000 slow requests hold at once, behind three BaseHTTPMiddleware.

``python -m tests.soak.memory SIDE`` prints KiB per request; `compared` runs it for both sides
in turn. The scope, the task and the driver are in it, as they are on a server.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks.asgi import ASGIApp, ClientRequest, LoopClient
from benchmarks.cases.middleware import adding_header
from benchmarks.sides import SIDES, Side
from tests.clock import SimulatedLoop

__all__ = ["REQUESTS", "TARGET", "compared", "main", "peak"]

REQUESTS = 1_000
TARGET = 0.4  # turbostar / stock, at most
_ROUNDS = 3
_ROOT = Path(__file__).resolve().parents[2]


def peak(side: Side) -> float:
    """KiB of each request at the moment when all of them together hold the most."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(_peak(_application(side))) / REQUESTS / 1024


def compared() -> tuple[float, float]:
    """Return what stock and turbostar hold, each the median of fresh processes in turn."""
    found: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(_ROUNDS):
        for name, figures in found.items():
            command = [sys.executable, "-m", "tests.soak.memory", name]
            done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
            figures.append(float(done.stdout))
    stock, turbostar = (statistics.median(found[name]) for name in ("stock", "turbostar"))
    return stock, turbostar


def _application(side: Side) -> ASGIApp:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(10)  # of the simulated clock
        return side.JSONResponse({"id": request.path_params["id"]})

    layer = adding_header(side)
    return side.application(
        routes=[side.Route("/items/{id:int}", slow)],
        middleware=[side.Middleware(layer, name=f"x-layer-{number}") for number in range(3)],
    )


async def _peak(app: ASGIApp) -> int:
    request = ClientRequest(path="/items/4711")
    make_scope = request.scopes()

    async def one() -> None:
        client = LoopClient(request)
        await app(make_scope(), client.receive, client.send)
        assert client.answered

    await one()  # whatever is built once is built then
    gc.collect()
    tracemalloc.start()
    try:
        await asyncio.gather(*(one() for _ in range(REQUESTS)))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main(arguments: list[str]) -> int:
    """Print the figure of one side."""
    sys.stdout.write(f"{peak(SIDES[arguments[0]])!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
