"""Real servers: uvicorn in a thread, with either protocol class, on either event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from uvicorn.config import Config
from uvicorn.server import Server

__all__ = ["LOOPS", "Served", "receive_all", "serve"]

LOOPS: dict[str, Callable[[], Any]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
_PATIENCE = 20.0  # seconds after which a test fails that waits for something


class Served:
    """A running server.

    Attributes:
        server: uvicorn's.
        port: that it listens on.
        loop: its event loop, in another thread.
    """

    def __init__(self, server: Server, loop: Any) -> None:
        self.server = server
        self.loop = loop
        self.port = 0
        self.error: BaseException | None = None

    def connect(self) -> socket.socket:
        """A client's socket."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def ask(self, *pieces: bytes) -> bytes:
        """Send these, and return all that comes until the server closes."""
        with self.connect() as client:
            for piece in pieces:
                client.sendall(piece)
            return receive_all(client)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        deadline = time.monotonic() + _PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail("it has not come to that")
            time.sleep(0.005)

    def wait_until_idle(self) -> None:
        """Wait until no connection and no call of the application is left."""
        state = self.server.server_state
        self.wait_until(lambda: not state.connections and not state.tasks)


def receive_all(client: socket.socket) -> bytes:
    """All that comes until the other side closes or resets the connection."""
    received = b""
    while True:
        try:
            data = client.recv(65536)
        except ConnectionResetError:
            return received
        if not data:
            return received
        received += data


@contextlib.contextmanager
def serve(protocol: Any, app: Any, *, loop: str = "uvloop", **options: Any) -> Iterator[Served]:
    """Serve an application, and see that the server ends by itself afterwards."""
    given = {"port": 0, "lifespan": "off", "log_config": None, **options}
    config = Config(app, http=protocol, **given)
    made = LOOPS[loop]()
    served = Served(Server(config), made)

    def run() -> None:
        try:
            asyncio.set_event_loop(made)
            made.run_until_complete(served.server.serve())
        except BaseException as exc:
            served.error = exc
        finally:
            asyncio.set_event_loop(None)
            made.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        served.wait_until(lambda: served.server.started or served.error is not None)
        if served.error is not None:
            raise served.error
        if "uds" not in options:
            served.port = served.server.servers[0].sockets[0].getsockname()[1]
        yield served
    finally:
        served.server.should_exit = True
        thread.join(_PATIENCE)
        assert not thread.is_alive(), "the server does not end"
