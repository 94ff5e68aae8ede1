"""The two servers: the same application, without turbostar and with it."""

from __future__ import annotations

import enum
import importlib.util
import os
import socket
import time
from collections.abc import Sequence

import msgspec

from turbostar.cli import configuration, run
from turbostar.cli.bench.processes import Process, Processes
from turbostar.cli.bench.serial import MissingAnswer, SerialClient
from turbostar.cli.bench.usage import TreeUsage
from turbostar.cli.errors import UserError

__all__ = ["Application", "Server", "Side", "Software", "event_loop", "start_server"]

LOCALHOST = "127.0.0.1"
_START = 60.0  # seconds that a server may take until it answers
_SHUTDOWN_FAILED = "Application shutdown failed."  # uvicorn logs so after the cause
_PROBE = (b"GET / HTTP/1.1\r\nhost: testserver\r\n\r\n",)


class Side(enum.Enum):
    """A or B."""

    A = "stock"
    B = "turbostar"

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.value


class Software(enum.StrEnum):
    """What serves the application."""

    UVICORN = "uvicorn"
    TURBOSTAR = "turbostar"
    GRANIAN = "granian"

    @property
    def described(self) -> str:
        """How reports call it."""
        return {
            Software.UVICORN: "uvicorn with httptools",
            Software.TURBOSTAR: "uvicorn with httptools (A) and turbostar.server (B)",
            Software.GRANIAN: "Granian",
        }[self]


class Application(msgspec.Struct, frozen=True):
    """What both servers serve, and by which software."""

    target: str
    factory: bool = False
    app_dir: str = "."
    software: Software = Software.UVICORN


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

    def shutdown_failure(self) -> str | None:
        """The last line that the application's lifespan gave when it failed to stop, or None."""
        log = self.process.log.read_text(encoding="utf-8", errors="replace")
        before, failed, _ = log.rpartition(_SHUTDOWN_FAILED)
        lines = [line for line in before.splitlines()[:-1] if line.strip()]
        return (lines[-1].strip() if lines else "no reason given") if failed else None


def event_loop() -> str:
    """The event loop of the servers, as uvicorn's `--loop` names it."""
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


def start_server(
    processes: Processes, side: Side, application: Application, port: int, cores: Sequence[int]
) -> Server:
    """Start a server and wait until it answers a request, whatever the answer.

    `port` 0 takes a free one.

    Raises:
        UserError: it ends first, does not answer, or the port is in use.
    """
    port = _free_port(port)
    environment = _environment(side)
    if application.software is Software.GRANIAN:
        command = _granian_command(port)
        environment |= _granian_environment(application, environment)
    else:
        command = _command(application, side, port)
    process = processes.start(side.label, command, environment=environment, cores=cores)
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


def _command(application: Application, side: Side, port: int) -> list[str]:
    is_ours = application.software is Software.TURBOSTAR and side is Side.B
    command = ["-m", "turbostar", "run", application.target, "--no-access-log"]
    if application.factory:
        command.append("--factory")
    options = {
        "--app-dir": application.app_dir,
        "--host": LOCALHOST,
        "--port": str(port),
        "--http": "turbostar" if is_ours else "httptools",
        "--loop": event_loop(),
        "--lifespan": "auto",
        "--log-level": "warning",
        "--timeout-graceful-shutdown": "2",
    }
    return command + [word for option in options.items() for word in option]


def _granian_command(port: int) -> list[str]:
    options = {
        "--interface": "asgi",
        "--host": LOCALHOST,
        "--port": str(port),
        "--loop": event_loop(),
        "--log-level": "warning",
        "--workers-kill-timeout": "2",
    }
    command = ["-m", "granian", *(word for option in options.items() for word in option)]
    return [*command, run.APPLICATION]


def _granian_environment(application: Application, inherited: dict[str, str]) -> dict[str, str]:
    """What tells a worker of Granian's which application to import, and from where."""
    paths = [os.path.abspath(application.app_dir), inherited.get("PYTHONPATH", "")]
    found = {run.TARGET: application.target, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return found | ({run.FACTORY: "1"} if application.factory else {})


def _environment(side: Side) -> dict[str, str]:
    # Without what options would come from, such as --workers.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TURBOSTAR_DISABLE", "WEB_CONCURRENCY")
        and not name.startswith(("UVICORN_", "GRANIAN_"))
    }
    environment |= {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", configuration.VARIABLE: ""}
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
