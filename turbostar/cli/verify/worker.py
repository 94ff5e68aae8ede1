"""The process that runs the application, stock or accelerated, and answers the requests.

Started as `python -m turbostar.cli.verify.worker JOB`. The environment decides between stock
(`TURBOSTAR_DISABLE=1`) and accelerated; everything else is the same in both.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import pathlib
import sys
import time
from typing import Any

import msgspec

import turbostar
from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.session import Session
from turbostar.cli.values import MissingValue
from turbostar.cli.verify import asgi
from turbostar.cli.verify.answers import Answer, Answered, Failed, Finished, Frames, Job, Started
from turbostar.cli.verify.lifespan import LONGEST, Lifespan, LifespanError
from turbostar.cli.verify.steady import Clock, FrozenClock, seed, take_over_random
from turbostar.cli.verify.watchdog import watched

__all__ = ["main"]


def main() -> None:
    # A byte on standard input says that the requests may be sent; the application has none.
    go = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    job = msgspec.msgpack.decode(pathlib.Path(sys.argv.pop()).read_bytes(), type=Job)
    with open(job.frames, "ab") as file:
        frames = Frames(file)
        try:
            asyncio.run(_replay(job, frames, go))
        except (UserError, LifespanError) as exc:
            frames.write(Failed(str(exc)))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of requests that hang would keep the process from ending.
    os._exit(0)


async def _replay(job: Job, frames: Frames, go: int) -> None:
    clock = FrozenClock(job.clock) if job.freeze_clock else Clock(job.clock)
    app = _load(job, clock)
    requests = job.requests
    notes: list[str] = []
    if requests is None:
        from turbostar.cli.verify.derive import derive_requests

        requests, notes = derive_requests(app, unsafe=job.unsafe_methods)
    requests = requests[: job.limit]
    lifespan = Lifespan(app)
    try:
        await lifespan.startup(timeout=LONGEST)
    except LifespanError as exc:
        raise LifespanError(f"{job.target}: the lifespan failed on startup: {exc}") from exc
    frames.write(Started(requests, notes))
    if not os.read(go, 1):  # the process that would say what is sent is gone
        return
    session = Session()
    for number, request in enumerate(requests, 1):
        clock.tick()
        if job.seed:
            seed(number)
        tell = functools.partial(_tell_blocked, job, frames, f"{number}, {request.name}")
        with watched(job.timeout, tell):
            answer = await _ask(app, request, session, lifespan.state, job.timeout)
        frames.write(Answered(answer))
    frames.write(Finished(await lifespan.shutdown(timeout=LONGEST)))


def _tell_blocked(job: Job, frames: Frames, request: str, place: str) -> None:
    frames.write(
        Failed(
            f"{job.target}: request {request}, blocks the event loop{place}: it has not ended "
            f"within {job.timeout:g} seconds and cannot be cancelled; have a thread do what "
            "blocks, give a longer --timeout, or leave the request out"
        )
    )


def _load(job: Job, clock: Clock) -> Any:
    clock.start()
    if job.seed:
        take_over_random()
    if not sys.flags.safe_path:
        sys.path.pop(0)  # the working directory, which -m has put there
    add_app_dir(job.app_dir)
    turbostar.install()
    app = load_app(job.target, factory=job.factory)
    _check_asgi(job.target, app)
    return app


def _check_asgi(target: str, app: Any) -> None:
    """Fail if this cannot be called as an ASGI application is."""
    if not callable(app):
        raise UserError(f"{target}: returned {app!r}, which is no ASGI application; correct it")
    try:
        signature = inspect.signature(app)
        signature.bind({}, None, None)
    except ValueError:  # nobody knows how it is called
        return
    except TypeError:
        raise UserError(
            f"{target}: is no ASGI application, for it cannot be called with scope, receive and "
            f"send: its arguments are {signature}; name the application"
        ) from None


async def _ask(
    app: Any,
    request: RecordedRequest,
    session: Session,
    state: dict[str, Any],
    timeout: float,
) -> Answer:
    try:
        request, cookie = session.prepare(request)
    except MissingValue as exc:
        if "TURBOSTAR_DISABLE" in os.environ:
            raise
        # An answer of ours differs; the comparison will show it, and this one after it.
        return Answer(exception=f"not sent: {exc}")
    answer = await asgi.ask(app, request, cookie=cookie, state=state, timeout=timeout)
    session.learn(request, answer.status, answer.headers, answer.body, now=time.time())
    return answer


if __name__ == "__main__":
    main()
