"""The two servers: the same application and command line, without turbostar and with it."""

from __future__ import annotations

import enum
import importlib.util
import os
import socket
import sys
import time
from collections.abc import Sequence

import msgspec

from turbostar.cli.bench.processes import Process, Processes
from turbostar.cli.bench.serial import MissingAnswer, SerialClient
from turbostar.cli.bench.usage import TreeUsage
from turbostar.cli.errors import UserError

__all__ = ["Application", "Server", "Side", "event_loop", "http_protocol", "start_server"]

LOCALHOST = "127.0.0.1"
_START = 60.0  # seconds that a server may take until it answers
_PROBE = (b"GET / HTTP/1.1\r\nhost: testserver\r\n\r\n",)


class Side(enum.Enum):
    """A or B."""

    A = "stock"
    B = "turbostar"

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.value


class Application(msgspec.Struct, frozen=True):
    """What both servers serve."""

    target: str
    factory: bool = False
    app_dir: str = "."


class Server:
    """A running server."""

    def __init__(self, side: Side, port: int, process: Process) -> None:
        self.side = side
        self.host = LOCALHOST
        self.port = port
        self.process = process
        self.usage = TreeUsage(process.pid)

    def check_alive(self, doing: str, *, within: float = 0.0) -> None:
        """Check that the server still runs.

        Raises:
            UserError: it has ended, or does within that many seconds.
        """
        if self.process.ended(within=within):
            raise UserError(
                f"the {self.side.label} server ended {doing} ({self.process.fate()}); "
                f"serve the application with `turbostar run` to see why"
            )


def event_loop() -> str:
    """The event loop of the servers, as uvicorn's `--loop` names it."""
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


def http_protocol() -> str:
    """The HTTP parser of the servers, as uvicorn's `--http` names it."""
    return "httptools" if importlib.util.find_spec("httptools") else "h11"


def start_server(
    processes: Processes, side: Side, application: Application, port: int, cores: Sequence[int]
) -> Server:
    """Start a server and wait until it answers a request, whatever the answer.

    `port` 0 takes a free one.

    Raises:
        UserError: it ends first, does not answer, or the port is in use.
    """
    port = _free_port(port)
    process = processes.start(
        side.label, _command(application, port), environment=_environment(side), cores=cores
    )
    server = Server(side, port, process)
    deadline = time.monotonic() + _START
    while not _listens(port):
        server.check_alive("before it answered", within=0.02)
        if time.monotonic() > deadline:
            raise UserError(
                f"the {side.label} server does not listen after {_START:g} s; is the "
                "lifespan startup of the application waiting for something?"
            )
    try:
        with SerialClient(LOCALHOST, port, timeout=_START) as client:
            client.ask("GET /", _PROBE)
    except MissingAnswer as exc:
        server.check_alive("before it answered", within=1.0)
        raise UserError(f"the {side.label} server gives {exc}; repair the application") from exc
    return server


def _command(application: Application, port: int) -> list[str]:
    command = [sys.executable, "-m", "turbostar", "run", application.target, "--no-access-log"]
    if application.factory:
        command.append("--factory")
    options = {
        "--app-dir": application.app_dir,
        "--host": LOCALHOST,
        "--port": str(port),
        "--http": http_protocol(),
        "--loop": event_loop(),
        "--lifespan": "auto",
        "--log-level": "warning",
        "--timeout-graceful-shutdown": "2",
    }
    return command + [word for option in options.items() for word in option]


def _environment(side: Side) -> dict[str, str]:
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    environment.pop("TURBOSTAR_DISABLE", None)
    # Where --workers would come from.
    environment.pop("WEB_CONCURRENCY", None)
    if side is Side.A:
        environment["TURBOSTAR_DISABLE"] = "1"
    return environment


def _free_port(port: int) -> int:
    """`port` if it can be listened on, or for 0 one that can.

    Raises:
        UserError: it is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError as exc:
            raise UserError(
                f"port {port} cannot be used ({exc.strerror or exc}); "
                "give another to --port, or none to have a free one chosen"
            ) from exc
        chosen: int = probe.getsockname()[1]
        return chosen


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOCALHOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True
