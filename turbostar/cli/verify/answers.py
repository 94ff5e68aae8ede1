"""What passes between the verifying process and its workers: the job, the answers, the end."""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from turbostar.cli.recorded import RecordedRequest

__all__ = ["Answer", "Answered", "Failed", "Finished", "Frame", "Frames", "Job", "Started"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How an application answered one request, as its client sees it.

    Header names are lower case. `sent` holds the messages of a WebSocket session instead of
    status, headers and body. `exception` is what the application raised: "module.Type: message".
    """

    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    body_messages: int = 0
    complete: bool = False
    sent: tuple[dict[str, Any], ...] = ()
    exception: str | None = None
    timed_out: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to do.

    Without `requests` it derives them from the routes of the application: those whose methods
    change nothing, and with `unsafe_methods` the others, too.
    """

    target: str
    factory: bool
    app_dir: str
    requests: list[RecordedRequest] | None
    limit: int | None
    timeout: float  # seconds per request
    unsafe_methods: bool
    seed: bool  # the same random numbers in each run
    freeze_clock: bool  # wherever Python asks for the time, and not only time.time()
    clock: int  # what time.time() says at the start, in seconds
    frames: str  # path of the file to write to


class Started(msgspec.Struct, frozen=True, tag=True):
    """The application has started; `requests` are the ones to be answered, in this order."""

    requests: list[RecordedRequest]
    notes: list[str]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The next request has been answered."""

    answer: Answer


class Finished(msgspec.Struct, frozen=True, tag=True):
    """All requests have been answered and the lifespan has ended as `lifespan` says."""

    lifespan: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The application cannot be used, for this reason."""

    reason: str


Frame = Started | Answered | Finished | Failed

_LENGTH_BYTES = 8


class Frames:
    """Frames in a file that one process appends to while another one reads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = bytearray()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)

    def write(self, frame: Frame) -> None:
        data = self._encoder.encode(frame)
        self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        self._file.flush()

    def read(self) -> list[Frame]:
        """All frames that are complete by now and have not been read before."""
        self._buffer += self._file.read()
        frames: list[Frame] = []
        while len(self._buffer) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._buffer[:_LENGTH_BYTES], "big")
            if len(self._buffer) < end:
                break
            frames.append(self._decoder.decode(bytes(self._buffer[_LENGTH_BYTES:end])))
            del self._buffer[:end]
        return frames
