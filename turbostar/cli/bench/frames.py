"""What the benchmark and its load process say to each other over a pair of pipes.

A frame is four bytes of length, then a msgpack message. The benchmark sends a `Plan` for each
server; then for each round a `Run`, to which the load process answers `Ready` once all its
connections are open and have been used, and a `Go`, to which it answers `Done`. Instead of
either answer it may send `Failed`.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from turbostar.cli.bench.exchange import Exchange

__all__ = ["Done", "Failed", "Go", "Plan", "Ready", "Run", "read_frame", "write_frame"]


class Plan(msgspec.Struct, frozen=True, tag=True):
    """The exchanges with one server, under a name."""

    name: str
    exchanges: tuple[Exchange, ...]


class Run(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Prepare one round: these exchanges of that plan, over so many connections."""

    plan: str
    picked: tuple[int, ...]
    host: str
    port: int
    connections: int
    seconds: float
    timeout: float
    """For one answer, in seconds."""
    tolerant: bool = False
    """Collect wrong answers instead of ending at the first."""


class Go(msgspec.Struct, frozen=True, tag=True):
    """Start the prepared round now."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """All connections are open."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """The round is over; every answer has come and was right."""

    requests: int
    seconds: float
    p50: float
    """Latency in seconds, as is `p99`."""
    p99: float
    differing: dict[int, str] = {}
    """If tolerant: exchange to what was wrong with an answer to it."""
    hung_up: dict[int, int] = {}
    """Exchange to how often the server closed the connection after it, unannounced."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The round ended early: an answer was wrong, or missing."""

    name: str
    cause: str
    missing: bool


Message = Plan | Run | Go | Ready | Done | Failed

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_encoder = msgspec.msgpack.Encoder()


def write_frame(stream: BinaryIO, message: Message) -> None:
    """Send one message."""
    data = _encoder.encode(message)
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> Message | None:
    """The next message, or None if the other side is gone."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    length = int.from_bytes(size, "big")
    data = stream.read(length)
    return _decoder.decode(data) if len(data) == length else None
