"""Running a worker: its start, its answers as they come, and its end, whatever happens."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

import msgspec

from turbostar.cli.errors import UserError
from turbostar.cli.leash import leashed
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify.answers import (
    Answer,
    Answered,
    Failed,
    Finished,
    Frame,
    Frames,
    Job,
    Started,
)
from turbostar.cli.verify.lifespan import LONGEST

__all__ = ["Mode", "Replay", "WorkerError", "replay"]

Mode = Literal["stock", "accelerated"]

_POLL_SECONDS = 0.01
_START_SECONDS = 300.0
# Beyond the time a request may take: the worker itself tells within two seconds if it blocks the
# event loop, unless nothing else of Python's can run, either.
_GRACE_SECONDS = 10.0
_EXIT_SECONDS = 5.0
_LOG_LINES = 30


class WorkerError(UserError):
    """The application could not be run; `log` is the end of what it wrote to stdout and stderr."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class Replay(msgspec.Struct):
    """What one worker has answered."""

    requests: list[RecordedRequest]
    notes: list[str]
    answers: list[Answer]
    lifespan: str | None = None


def replay(
    job: Job,
    mode: Mode,
    on_answer: Callable[[int, int], None],
    announce: Callable[[Sequence[RecordedRequest]], None] | None = None,
) -> Replay:
    """Run the application in a process of its own and put the requests of `job` to it.

    `on_answer` is told how many requests have been answered, and of how many; `announce` gets the
    requests before any is sent.

    Raises:
        WorkerError: the application cannot be imported or started, or its process died.
    """
    with tempfile.TemporaryDirectory(prefix="turbostar-verify-") as directory:
        worker = _Worker(job, mode, pathlib.Path(directory), announce)
        try:
            return worker.run(on_answer)
        finally:
            worker.end()


class _Worker:
    def __init__(
        self,
        job: Job,
        mode: Mode,
        directory: pathlib.Path,
        announce: Callable[[Sequence[RecordedRequest]], None] | None,
    ) -> None:
        self._mode = mode
        self._announce = announce
        self._target = job.target
        self._timeout = job.timeout
        self._log = directory / "log"
        frames = directory / "frames"
        frames.touch()
        job_file = directory / "job"
        job_file.write_bytes(
            msgspec.msgpack.encode(msgspec.structs.replace(job, frames=str(frames)))
        )
        self._file = frames.open("rb")
        self._frames = Frames(self._file)
        self._replay: Replay | None = None
        self._process = self._start(job_file)

    def _start(self, job_file: pathlib.Path) -> subprocess.Popen[bytes]:
        arguments = ["-m", "turbostar.cli.verify.worker", str(job_file)]
        # Nothing is written into the pipe: it ends with this process, and so does the worker.
        reading, self._leash = os.pipe()
        inherited = []
        if hasattr(os, "killpg"):
            arguments = leashed(arguments, reading)[1:]
            inherited = [reading]
        warnings = [f"-W{option}" for option in sys.warnoptions]
        try:
            with self._log.open("wb") as log:
                return subprocess.Popen(
                    [sys.executable, *warnings, *arguments],
                    env=_environment(self._mode),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    pass_fds=inherited,
                    start_new_session=True,  # what the application starts ends with it
                )
        finally:
            os.close(reading)

    def run(self, on_answer: Callable[[int, int], None]) -> Replay:
        heard = time.monotonic()
        while True:
            ended = self._process.poll() is not None
            frames = self._frames.read()
            for frame in frames:
                if self._take(frame, on_answer):
                    assert self._replay is not None
                    return self._replay
            if ended:
                raise self._error(f"its process {self._death()}{self._position()}")
            if frames:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._patience():
                raise self._error(
                    f"nothing came for {self._patience():g} seconds{self._position()}; "
                    "something blocks the event loop"
                )
            time.sleep(_POLL_SECONDS)

    def _take(self, frame: Frame, on_answer: Callable[[int, int], None]) -> bool:
        """Note what a frame says; whether it is the last."""
        match frame:
            case Failed(reason):
                raise WorkerError(self._in_mode(reason), self._log_end())
            case Started(requests, notes):
                self._replay = Replay(requests, notes, [])
                if self._announce is not None:
                    self._announce(requests)
                self._let_go()
                on_answer(0, len(requests))
            case Answered(answer) if self._replay is not None:
                self._replay.answers.append(answer)
                on_answer(len(self._replay.answers), len(self._replay.requests))
            case Finished(lifespan) if self._replay is not None:
                self._replay.lifespan = lifespan
                return True
        return False

    def _let_go(self) -> None:
        """Have the worker send the requests."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has died, which will be noticed
            self._process.stdin.write(b"!")
            self._process.stdin.close()

    def _patience(self) -> float:
        if self._replay is None:
            return _START_SECONDS
        stopping = len(self._replay.answers) == len(self._replay.requests)
        return (LONGEST if stopping else self._timeout) + _GRACE_SECONDS

    def _error(self, cause: str) -> WorkerError:
        log = self._log_end()
        last = log.strip().rpartition("\n")[2].strip()
        hint = f"; the last line it wrote: {last}" if last else ""
        return WorkerError(self._in_mode(f"{self._target}: {cause}{hint}"), log)

    def _in_mode(self, message: str) -> str:
        if self._mode == "stock":
            return message
        return f"{message} (accelerated only: it works on stock; TURBOSTAR_DISABLE=1 avoids this)"

    def _death(self) -> str:
        code = self._process.returncode
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"

    def _position(self) -> str:
        if self._replay is None:
            return " before it had started"
        number = len(self._replay.answers)
        if number == len(self._replay.requests):
            return " while it was stopping"
        return f" during request {number + 1}, {self._replay.requests[number].name}"

    def _log_end(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def end(self) -> None:
        self._file.close()
        if self._replay is not None and self._replay.lifespan is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_EXIT_SECONDS)
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        os.close(self._leash)


def _environment(mode: Mode) -> dict[str, str]:
    environment = dict(os.environ, PYTHONHASHSEED="0")
    environment.pop("TURBOSTAR_DISABLE", None)
    if mode == "stock":
        environment["TURBOSTAR_DISABLE"] = "1"
    return environment
