"""A protocol class on a transport that writes everything down, and both classes side by side."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from turbostar.server import HttpProtocol

__all__ = ["BOTH", "OURS", "STOCK", "Heard", "Wire", "connect", "converse", "hear"]

STOCK: Any = HttpToolsProtocol
OURS: Any = HttpProtocol
BOTH = (STOCK, OURS)
_TURNS = 40  # of the event loop, in which everything that does not wait for a client has happened


class Wire(asyncio.Transport):
    """The transport: what was written, and whether reading is paused."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 8000), "peername": ("127.0.0.1", 8001)})
        self.writes: list[bytes] = []
        self.protocol: Any = None
        self.is_closed = self.is_paused = False

    @property
    def written(self) -> bytes:
        """All that was written."""
        return b"".join(self.writes)

    def write(self, data: Any) -> None:
        if not self.is_closed:  # what comes later never leaves a socket either
            self.writes.append(bytes(data))

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Heard(NamedTuple):
    """What came of a conversation.

    Attributes:
        written: all bytes.
        is_closed: whether the server has closed the connection.
        logged: what uvicorn's loggers were told, with the exceptions.
        tasks: how many calls of the application have not returned.
    """

    written: bytes
    is_closed: bool
    logged: list[tuple[str, str, str]]
    tasks: int


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.told.append((record.levelname, record.getMessage(), repr(error)))


def connect(
    protocol: Any, app: Any, *, state: ServerState | None = None, **options: Any
) -> tuple[Any, Wire]:
    """A connection of a class, to be used in a running event loop."""
    config = Config(app, log_config=None, lifespan="off", **options)
    config.load()
    wire = Wire()
    made = protocol(config=config, server_state=state or ServerState(), app_state={})
    wire.protocol = made
    made.connection_made(wire)
    return made, wire


async def turn(turns: int = _TURNS) -> None:
    """Let everything happen that waits for nobody."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def converse(
    protocol: Any,
    app: Any,
    pieces: Sequence[bytes],
    *,
    level: int = logging.INFO,
    turns: int = _TURNS,
    **options: Any,
) -> Heard:
    """Send the pieces one after the other, and note what comes back."""
    log = _Log()
    loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access")]
    for logger in loggers:
        logger.addHandler(log)
        logger.setLevel(level)
    state = ServerState()
    try:
        made, wire = connect(protocol, app, state=state, **options)
        for piece in pieces:
            if wire.is_closed:
                break
            wire.protocol.data_received(piece)
            await turn(turns)
        heard = Heard(wire.written, wire.is_closed, log.told, len(state.tasks))
        if not wire.is_closed:
            wire.is_closed = True
            wire.protocol.connection_lost(None)
        await turn()
        del made
    finally:
        for logger in loggers:
            logger.removeHandler(log)
    return heard


def hear(protocol: Any, app: Any, *pieces: bytes, **options: Any) -> Heard:
    """The same on an event loop of its own."""
    return asyncio.run(converse(protocol, app, pieces, **options))


def without_date(data: bytes) -> bytes:
    """What was written, without the header that tells the time."""
    return re.sub(rb"date: [^\r]*\r\n", b"", data)


App = Callable[[Any, Any, Any], Any]
