"""The servers that `benchmarks.server` and `benchmarks.connections` measure."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from turbostar.cli.bench.environment import usable_cores
from turbostar.cli.bench.processes import Process, Processes
from turbostar.cli.bench.usage import TreeUsage
from turbostar.cli.errors import UserError

__all__ = ["HOST", "ServerProcess", "cores", "start"]

HOST = "127.0.0.1"
_ROOT = Path(__file__).resolve().parent.parent
_START = 30.0  # seconds that a server may take until it listens


class ServerProcess(NamedTuple):
    """uvicorn in a process of its own."""

    application: str
    port: int
    process: Process
    usage: TreeUsage


def start(
    processes: Processes, application: str, cores: Sequence[int], *options: str
) -> ServerProcess:
    """Start uvicorn with an application, and wait until it listens.

    Args:
        application: the name of a factory in `benchmarks.served`, on uvicorn's own protocol class
            or, with ``@turbostar.server`` behind it, on turbostar's.
        cores: those that the process is held to.
        options: of uvicorn's command line.

    Raises:
        UserError: it does not start.
    """
    port = _free_port()
    factory, _, server = application.partition("@")
    command = ["-m", "uvicorn", f"benchmarks.served:{factory}", "--factory"]
    command += ["--app-dir", str(_ROOT), "--host", HOST, "--port", str(port)]
    command += ["--http", f"{server}:HttpProtocol" if server else "httptools"]
    command += ["--loop", "uvloop", "--lifespan", "off"]
    command += ["--no-access-log", "--log-level", "warning", *options]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    process = processes.start(application, command, environment=environment, cores=cores)
    deadline = time.monotonic() + _START
    while True:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
            return ServerProcess(application, port, process, TreeUsage(process.pid))
        if process.ended(within=0.02):
            raise UserError(f"the server of {application} did not start ({process.fate()})")
        if time.monotonic() > deadline:
            raise UserError(f"the server of {application} does not listen after {_START:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def cores() -> Iterator[tuple[list[int], list[int]]]:
    """One core for the servers and another for the load, where there are two."""
    usable = usable_cores()
    if len(usable) < 2:
        yield [], []
        return
    os.sched_setaffinity(0, usable[-1:])
    try:
        yield usable[:1], usable[-1:]
    finally:
        os.sched_setaffinity(0, usable)
