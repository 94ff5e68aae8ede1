"""Where the benchmark ran."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import pathlib
import platform

__all__ = ["describe", "usable_cores"]

_PACKAGES = ("turbostar", "starlette", "msgspec", "uvicorn", "uvloop", "httptools")


def describe(*servers: str) -> dict[str, str]:
    """Versions, processor, cores, system and date, in the order in which to show them.

    Args:
        servers: packages to name beside the usual ones.
    """
    found = {"Python": f"{platform.python_version()} ({platform.python_implementation()})"}
    for package in dict.fromkeys((*_PACKAGES, *servers)):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    found["CPU"] = _cpu_model()
    found["cores"] = str(len(usable_cores()) or os.cpu_count() or "unknown")
    found["system"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    found["load before"] = _load_average()
    found["date"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return found


def usable_cores() -> list[int]:
    """The cores that this process may be held to; empty where that cannot be chosen."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _cpu_model() -> str:
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _load_average() -> str:
    try:
        return f"{os.getloadavg()[0]:.2f}"
    except OSError:
        return "unknown"
