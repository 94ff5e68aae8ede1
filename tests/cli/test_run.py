"""`turbostar run`: uvicorn with the application accelerated in every process."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

_APP = """
import os
import turbostar
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

INSTALLED_BEFORE_IMPORT = turbostar.installed()

async def state(request):
    return JSONResponse({
        "pid": os.getpid(),
        "installed": INSTALLED_BEFORE_IMPORT and turbostar.installed(),
        "port": request.scope["server"][1],
    })

app = Starlette(routes=[Route("/", state)])

def make():
    return app

def make_none():
    raise LookupError("no settings")
"""


@pytest.fixture
def app_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "served.py").write_text(_APP)
    (tmp_path / "broken.py").write_text("\n\nraise RuntimeError('first\\nsecond')\n")
    (tmp_path / "needing.py").write_text("import no_such_library\n")
    return tmp_path


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def command(app_dir: pathlib.Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "TURBOSTAR_DISABLE"}
    return subprocess.Popen(
        [sys.executable, "-m", "turbostar", "run", *arguments],
        cwd=app_dir,
        env=inherited | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(app_dir: pathlib.Path, *arguments: str, **environ: str) -> Iterator[None]:
    process = command(app_dir, *arguments, **environ)
    try:
        yield
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            _, log = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        sys.stderr.write(log)  # shown by pytest if the test fails


def states(port: int, *, of_processes: int = 1) -> dict[int, dict[str, Any]]:
    """What the application says of itself, by process, once so many of them have answered."""
    found: dict[int, dict[str, Any]] = {}
    deadline = time.monotonic() + 60
    while len(found) < of_processes and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
                state = json.load(response)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            found[state["pid"]] = state
    return found


def failure(app_dir: pathlib.Path, *arguments: str) -> str:
    """The error of a command that cannot serve; it must be one line and nothing else."""
    process = command(app_dir, *arguments)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (2, "")
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1
    return stderr


@pytest.mark.parametrize(
    ("arguments", "processes"),
    [
        (["served:app"], 1),
        (["served:make"], 1),
        (["served:make", "--factory"], 1),
        (["served:app", "--workers", "2"], 2),
        (["served:make", "--factory", "--workers", "2"], 2),
        (["served:app", "--reload"], 1),
    ],
)
def test_every_process_is_accelerated(
    app_dir: pathlib.Path, port: int, arguments: list[str], processes: int
) -> None:
    """install() has been called in each process that serves, before the application is imported."""
    with serving(app_dir, *arguments, "--port", str(port)):
        found = states(port, of_processes=processes)
    assert len(found) == processes
    for state in found.values():
        assert state["installed"]
        assert state["port"] == port


def test_options_of_uvicorn(app_dir: pathlib.Path, port: int) -> None:
    """Options reach uvicorn: a header, another directory for the application."""
    options = ["--port", str(port), "--app-dir", str(app_dir), "--header", "x-a:b"]
    elsewhere = app_dir / "elsewhere"
    elsewhere.mkdir()
    with serving(elsewhere, "served:app", *options):
        assert states(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
            assert response.headers["x-a"] == "b"


def test_kill_switch(app_dir: pathlib.Path, port: int) -> None:
    """With TURBOSTAR_DISABLE=1 the same command serves on stock Starlette."""
    with serving(app_dir, "served:app", "--port", str(port), TURBOSTAR_DISABLE="1"):
        (state,) = states(port).values()
    assert not state["installed"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["served"], "served: names no application; write module:attribute"),
        (["missing:app"], "there is no module 'missing' in"),
        (["served:ap"], "module 'served' has no attribute 'ap'; did you mean 'app'?"),
        (["needing:app"], "needs the module 'no_such_library'"),
        (["broken:app"], "importing it raised RuntimeError: first second"),
        (["served:make_none", "--factory"], "the factory raised LookupError: no settings"),
        (["served:app", "--host", "192.0.2.1"], "cannot serve on 192.0.2.1:"),
        (["served:app", "--port", "70000"], "cannot serve on 127.0.0.1:70000"),
        (["served:app", "--workers", "many"], "--workers"),
    ],
)
def test_mistakes(app_dir: pathlib.Path, port: int, arguments: list[str], cause: str) -> None:
    """What prevents serving is told in one line, with exit status 2."""
    assert cause in failure(app_dir, "--port", str(port), *arguments)


def test_the_place_of_an_import_error(app_dir: pathlib.Path, port: int) -> None:
    """An application that raises on import is told with file and line."""
    assert f"({app_dir / 'broken.py'}:3)" in failure(app_dir, "broken:app", "--port", str(port))


def test_port_in_use(app_dir: pathlib.Path) -> None:
    """A port in use is told in one line, also where uvicorn would bind it for its workers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        expected = f"cannot serve on 127.0.0.1:{port}: Address already in use; choose another"
        assert expected in failure(app_dir, "served:app", "--port", port)
        assert expected in failure(app_dir, "served:app", "--port", port, "--workers", "2")


def test_workers_that_cannot_import(app_dir: pathlib.Path, port: int) -> None:
    """What keeps the workers from serving is the last line, and the exit status is 2."""
    process = command(app_dir, "served:ap", "--workers", "2", "--port", str(port))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert stderr.splitlines()[-1] == (
        "error: served:ap: module 'served' has no attribute 'ap'; did you mean 'app'?"
    )
