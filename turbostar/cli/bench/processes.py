"""Processes of the benchmark: each in a group of its own, and none left behind."""

from __future__ import annotations

import atexit
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

from turbostar.cli.leash import leashed

__all__ = ["Process", "Processes"]

_GRACE = 5.0  # seconds between the polite and the other signal
_LONG = 1 << 20  # bytes
_TAIL = 3  # lines of a log that tell why a process ended


class Process:
    """A running process, the file of what it prints, and the cores it may use."""

    def __init__(self, popen: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self.popen = popen
        self.log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self.popen.pid

    def ended(self, *, within: float = 0.0) -> bool:
        """Whether the process has ended, or does so within that many seconds."""
        try:
            self.popen.wait(timeout=within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def shorten_log(self) -> None:
        """Empty a log that has grown long: an application that fails logs every request."""
        if self.log.stat().st_size > _LONG:
            os.truncate(self.log, 0)  # it is written in append mode, so this leaves no hole

    def fate(self) -> str:
        """How an ended process ended: its status or signal, and the end of its log."""
        status = self.popen.returncode
        how = f"exit status {status}"
        if status is not None and status < 0:
            how = f"killed by {signal.Signals(-status).name}"
        text = self.log.read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"{how}; its last words: {' | '.join(lines[-_TAIL:]) or 'none'}"


class Processes:
    """Starts processes and stops them all when left, whatever the reason.

    Each watches the same pipe, whose other end is open here alone. So even those end that could
    not be stopped in order: because a signal came before a new one was listed, or this process
    was killed.
    """

    def __init__(self) -> None:
        self._running: list[Process] = []
        self._folder = tempfile.TemporaryDirectory(prefix="turbostar-bench-")
        self._watched, self._held = os.pipe()

    def __enter__(self) -> Processes:
        atexit.register(self.close)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.close()
        finally:
            os.close(self._held)
            os.close(self._watched)
        self._folder.cleanup()
        atexit.unregister(self.close)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        cores: Sequence[int] = (),
        pipes: bool = False,
    ) -> Process:
        """Start a process, which ends at the latest when these processes are left.

        Args:
            name: of its log.
            arguments: `-m`, a module of Python's and its arguments, or a program and its.
            environment: all of its environment.
            cores: those it is held to; any if there are none.
            pipes: whether its stdin and stdout are connected to this process.
        """
        number = len(list(pathlib.Path(self._folder.name).iterdir()))
        log = pathlib.Path(self._folder.name) / f"{number}-{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                leashed(arguments, self._watched),
                pass_fds=[self._watched],
                env=dict(environment),
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else output,
                stderr=output,
                # Ctrl-C reaches the benchmark alone, which then ends the others in order.
                start_new_session=True,
            )
        process = Process(popen, log)
        self._running.append(process)
        if cores:
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                os.sched_setaffinity(popen.pid, cores)
        return process

    def stop(self, *processes: Process) -> None:
        """End these processes and what they started, and wait until they have ended."""
        for process in processes:
            if process.popen.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.popen.stdin.close()
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for process in processes:
            process.ended(within=max(0.0, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.popen.wait()
            if process.popen.stdout is not None:
                process.popen.stdout.close()
            if process in self._running:
                self._running.remove(process)

    def close(self) -> None:
        """End every process that still runs."""
        self.stop(*self._running)


def _signal_group(process: Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # the group is empty, or (on macOS) all in it have ended
