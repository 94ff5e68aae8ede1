"""The process that runs the application, stock or accelerated, and answers the requests.

Started as `python -m turbostar.cli.verify.worker JOB`. The environment decides between stock
(`TURBOSTAR_DISABLE=1`) and accelerated; everything else is the same in both.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import random
import sys
import time
from typing import Any

import msgspec

import turbostar
from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify import asgi
from turbostar.cli.verify.answers import Answer, Answered, Failed, Finished, Frames, Job, Started
from turbostar.cli.verify.cookies import CookieJar
from turbostar.cli.verify.lifespan import Lifespan, LifespanError

__all__ = ["main"]

_LIFESPAN_SECONDS = 120.0


class _Clock:
    """Stands in for the wall clock: the same in every run, one second later at each request.

    Signed cookies and expiry dates hold the time, so a real clock would make answers differ.
    """

    def __init__(self, start: int) -> None:
        self._now = start

    def tick(self) -> None:
        self._now += 1

    def time(self) -> float:
        return float(self._now)

    def time_ns(self) -> int:
        return self._now * 1_000_000_000


def main() -> None:
    job = msgspec.msgpack.decode(pathlib.Path(sys.argv.pop()).read_bytes(), type=Job)
    with open(job.frames, "ab") as file:
        frames = Frames(file)
        try:
            asyncio.run(_replay(job, frames))
        except (UserError, LifespanError) as exc:
            frames.write(Failed(str(exc)))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of requests that hang would keep the process from ending.
    os._exit(0)


async def _replay(job: Job, frames: Frames) -> None:
    clock = _Clock(job.clock)
    app = _load(job, clock)
    requests = job.requests
    notes: list[str] = []
    if requests is None:
        from turbostar.cli.verify.derive import derive_requests

        requests, notes = derive_requests(app)
    requests = requests[: job.limit]
    lifespan = Lifespan(app)
    try:
        await lifespan.startup(timeout=_LIFESPAN_SECONDS)
    except LifespanError as exc:
        raise LifespanError(f"{job.target}: the lifespan failed on startup: {exc}") from exc
    frames.write(Started(requests, notes))
    jars: dict[str, CookieJar] = {}
    for request in requests:
        clock.tick()
        frames.write(Answered(await _ask(app, request, jars, lifespan.state, job.timeout)))
    frames.write(Finished(await lifespan.shutdown(timeout=_LIFESPAN_SECONDS)))


def _load(job: Job, clock: _Clock) -> Any:
    time.time, time.time_ns = clock.time, clock.time_ns
    random.seed(0)
    if not sys.flags.safe_path:
        sys.path.pop(0)  # the working directory, which -m has put there
    add_app_dir(job.app_dir)
    turbostar.install()
    return load_app(job.target, factory=job.factory)


async def _ask(
    app: Any,
    request: RecordedRequest,
    jars: dict[str, CookieJar],
    state: dict[str, Any],
    timeout: float,
) -> Answer:
    if request.jar is None:
        return await asgi.ask(app, request, cookie=None, state=state, timeout=timeout)
    jar = jars.setdefault(request.jar, CookieJar())
    cookie = jar.header(request.path)
    answer = await asgi.ask(app, request, cookie=cookie, state=state, timeout=timeout)
    cookies = [value.decode("latin-1") for name, value in answer.headers if name == b"set-cookie"]
    jar.update(cookies, path=request.path, now=time.time())
    return answer


if __name__ == "__main__":
    main()
