"""The load process: `python -m turbostar.cli.bench.load`, driven by frames on its stdin.

It is a process of its own so that its CPU time is not the server's, nor the progress bar's.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import sys
from typing import BinaryIO

from turbostar.cli.bench.connection import LoadError, Round, Target
from turbostar.cli.bench.frames import Done, Failed, Go, Plan, Ready, Run, read_frame, write_frame
from turbostar.cli.bench.statistics import percentile

__all__ = ["serve"]


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Do what the frames of `requests` say until they end."""
    plans: dict[str, Plan] = {}
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        while (message := read_frame(requests)) is not None:
            if isinstance(message, Plan):
                plans[message.name] = message
            elif isinstance(message, Run) and not _round(
                runner, message, plans[message.plan], requests, replies
            ):
                return


def _round(
    runner: asyncio.Runner, run: Run, plan: Plan, requests: BinaryIO, replies: BinaryIO
) -> bool:
    """One round; return False if the other side is gone."""
    targets = [Target(index, plan.exchanges[index]) for index in run.picked]
    round_ = Round(targets, run.connections, timeout=run.timeout, tolerant=run.tolerant)
    try:
        runner.run(round_.open(run.host, run.port))
        write_frame(replies, Ready())
        if not isinstance(read_frame(requests), Go):
            return False
        gc.disable()  # a collection here would look like a slow server
        seconds = runner.run(round_.run(run.seconds))
        write_frame(replies, _done(round_, seconds))
    except LoadError as exc:
        write_frame(replies, Failed(exc.name, exc.cause, exc.missing))
    finally:
        gc.enable()
        runner.run(_close(round_))
    return True


def _done(round_: Round, seconds: float) -> Done:
    latencies = sorted(round_.latencies)
    return Done(
        len(latencies),
        seconds,
        percentile(latencies, 50),
        percentile(latencies, 99),
        round_.differing,
        dict(round_.hung_up),
    )


async def _close(round_: Round) -> None:
    round_.close()
    await asyncio.sleep(0)


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
