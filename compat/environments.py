"""Interpreters, and one virtual environment per suite, Python and Starlette."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compat.errors import CompatError
from compat.sources import last_line
from compat.suites import Suite

__all__ = ["Interpreter", "environment_for", "find_interpreter"]

_PROBE = """
import json, sys
print(json.dumps([getattr(sys, "_base_executable", None) or sys.executable,
                  ".".join(map(str, sys.version_info[:3]))]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that can make virtual environments: its path and its version, as ``3.13.0``."""

    path: Path
    version: str


def find_interpreter(wanted: str | None) -> Interpreter:
    """Return the interpreter *wanted*: a path, a version such as ``3.11``, or None for this one.

    A version is looked up in the running Python, on PATH as ``python3.11``, and among pyenv's
    versions. Raises CompatError if there is none.
    """
    if wanted is None:
        candidates: Iterator[str] = iter([sys.executable])
    elif re.fullmatch(r"\d+(\.\d+){1,2}", wanted):
        candidates = _candidates(wanted)
    else:
        candidates = iter([wanted])
    for candidate in candidates:
        found = _probe(candidate)
        if found and (candidate == wanted or wanted is None or _is_version(found.version, wanted)):
            if tuple(map(int, found.version.split("."))) < (3, 11):
                raise CompatError(f"--python {wanted}: is {found.version}; 3.11 or newer is needed")
            return found
    raise CompatError(
        f"--python {wanted}: no such interpreter runs here; give a version that is on PATH or "
        "under pyenv, or the path of a Python"
    )


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    name = "python" + ".".join(version.split(".")[:2])
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for folder_path in sorted(pyenv.glob(f"{version}*"), reverse=True):
        yield str(folder_path / "bin" / "python")


def _probe(path: str) -> Interpreter | None:
    try:
        result = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, timeout=30)
        executable, version = json.loads(result.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        # Not a Python, or a launcher (such as pyenv's) that has nothing to launch.
        return None
    return Interpreter(Path(executable), version)


def _is_version(version: str, wanted: str) -> bool:
    parts = wanted.split(".")
    return version.split(".")[: len(parts)] == parts


def environment_for(
    suite: Suite, interpreter: Interpreter, cache: Path, say: Callable[[str], None]
) -> Path:
    """Return the Python of the virtual environment of *suite*, making it if it is not there.

    turbostar is not installed in it: each run brings its own copy of the current sources.
    """
    name = f"{suite.name}-py{interpreter.version}-starlette{suite.starlette}"
    folder = cache / "envs" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / "compat-stamp.json"
    requirements = [*suite.requirements, f"starlette=={suite.starlette}"]
    content = json.dumps([str(interpreter.path), interpreter.version, requirements])
    expected = hashlib.sha256(content.encode()).hexdigest()
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    with _locked(folder.with_name(f"{name}.lock")):
        if not (stamp.exists() and stamp.read_text("utf-8") == expected and python.exists()):
            say(f"{suite.name}: installing its test environment on Python {interpreter.version}")
            _make(folder, python, interpreter, requirements, suite.name)
            stamp.write_text(expected, "utf-8")
    return python


def _make(
    folder: Path, python: Path, interpreter: Interpreter, requirements: list[str], name: str
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.with_name(f"{folder.name}.log")
    pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    commands = [
        [str(interpreter.path), "-m", "venv", str(folder)],
        [str(python), *pip, *requirements],
    ]
    for command in commands:
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            log.write_text(result.stdout + result.stderr, "utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            raise CompatError(
                f"{name}: its test environment could not be made "
                f"({last_line(result.stderr or result.stdout)}); check the network and the "
                f"index, the full output is in {log}"
            )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep a second run from using an environment while this one makes it."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
