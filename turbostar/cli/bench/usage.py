"""What a process tree has used: CPU time and peak memory."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import time
from typing import Any

from turbostar.cli.bench.optional import load

__all__ = ["TreeUsage"]

_PROC = pathlib.Path("/proc")
_RESET_PEAK = "5"  # what clear_refs takes to set a process's peak to its present memory


class TreeUsage:
    """The CPU time and the peak memory of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        self._psutil = load("psutil")
        self._root = self._psutil.Process(pid)
        self._sampled = 0

    def cpu_seconds(self) -> float:
        """User and system time so far, in seconds, with that of children that have ended."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(self._psutil.NoSuchProcess):
                times = process.cpu_times()
                own = _cpu_clock(process.pid)
                total += times.user + times.system if own is None else own
                total += getattr(times, "children_user", 0.0)
                total += getattr(times, "children_system", 0.0)
        return total

    def restart_peak(self) -> None:
        """Forget the peak so far. Where the system cannot, the peak since the start stays."""
        self._sampled = 0
        for process in self._tree():
            with contextlib.suppress(OSError):
                (_PROC / str(process.pid) / "clear_refs").write_text(_RESET_PEAK)

    def sample(self) -> None:
        """Look at the memory now, for systems that keep no peak."""
        if not sys.platform.startswith("linux"):
            self._sampled = max(self._sampled, self._resident())

    def peak_bytes(self) -> int:
        """The peak of resident memory, in bytes, summed over the processes."""
        peaks = [_high_water_mark(process.pid) for process in self._tree()]
        known = sum(peak for peak in peaks if peak)
        return known or max(self._sampled, self._resident())

    def _resident(self) -> int:
        total = 0
        for process in self._tree():
            with contextlib.suppress(self._psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def _tree(self) -> list[Any]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except self._psutil.NoSuchProcess:
            return []


def _cpu_clock(pid: int) -> float | None:
    """The CPU-time clock of a process, exact where psutil counts ticks of 10 ms; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # clock_getcpuclockid(3) makes the number of the clock so: the pid's complement, then
        # the kind of clock (2: time on the CPU, user and system).
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def _high_water_mark(pid: int) -> int | None:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
