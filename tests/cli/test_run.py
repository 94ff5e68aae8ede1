"""`turbostar run`: uvicorn with the application accelerated in every process."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
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

import turbostar

_PATH = os.pathsep.join(path for path in sys.path if path)
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
_SLOW = """
import os, pathlib, time
pathlib.Path(os.environ["IMPORTING"], str(os.getpid())).touch()
time.sleep(600)
"""


@pytest.fixture
def app_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "served.py").write_text(_APP)
    (tmp_path / "broken.py").write_text("\n\nraise RuntimeError('first\\nsecond')\n")
    (tmp_path / "number.py").write_text("app = 5\n")
    (tmp_path / "several.py").write_text(_APP + "\nother = Starlette()\n")
    (tmp_path / "slow.py").write_text(_SLOW)
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
        (["./served"], 1),
        (["served.py:app"], 1),
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


def announced(app_dir: pathlib.Path, port: int, *arguments: str, **environ: str) -> list[str]:
    """The lines about acceleration that a server writes until all its processes have answered."""
    arguments = ("served:app", "--port", str(port), "--no-use-colors", *arguments)
    process = command(app_dir, *arguments, **environ)
    assert states(port, of_processes=2 if "--workers" in arguments else 1)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    return [line for line in log.splitlines() if "turbostar" in line]


def test_one_line_says_what_is_accelerated(app_dir: pathlib.Path, port: int) -> None:
    """A server says once, in its log, how many accelerations are active."""
    (line,) = announced(app_dir, port)
    found = re.fullmatch(
        rf"INFO: +turbostar {turbostar.__version__}: (\d+) of (\d+) accelerations active", line
    )
    assert found is not None
    assert found[1] == found[2]
    assert announced(app_dir, port, "--workers", "2") == [line]
    assert announced(app_dir, port, "-q") == announced(app_dir, port, "--log-level", "error") == []


def test_what_is_not_accelerated(app_dir: pathlib.Path, port: int) -> None:
    """The line says so where turbostar is disabled, and where not everything is accelerated."""
    (line,) = announced(app_dir, port, TURBOSTAR_DISABLE="1")
    assert "disabled by TURBOSTAR_DISABLE=1, all is stock Starlette" in line
    patch = "from starlette.requests import Request\nRequest.json = lambda self: None\n"
    (app_dir / "sitecustomize.py").write_text(patch)
    (line,) = announced(app_dir, port, PYTHONPATH=os.pathsep.join([str(app_dir), _PATH]))
    assert "accelerations active; turbostar doctor served:app tells why not all" in line


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGINT, []), (signal.SIGTERM, []), (signal.SIGINT, ["--workers", "2"])],
)
def test_interrupted_while_importing(
    app_dir: pathlib.Path, port: int, number: signal.Signals, workers: list[str]
) -> None:
    """Ctrl-C ends the import, which uvicorn would wait for, without a traceback."""
    importing = app_dir / "importing"
    importing.mkdir()
    arguments = ["slow:app", "--port", str(port), *workers]
    process = command(app_dir, *arguments, IMPORTING=str(importing))
    deadline = time.monotonic() + 60
    while len(list(importing.iterdir())) < (2 if workers else 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    # A terminal's Ctrl-C reaches each of them once; who imports may be the command itself.
    for pid in {process.pid, *(int(one.name) for one in importing.iterdir())}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    _, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stderr
    if not workers:
        assert process.returncode == 128 + number
        assert stderr == "error: interrupted while importing slow:app\n"


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
        ([":app"], ":app: names no application; write module:attribute"),
        (["number"], "module 'number' holds no Starlette or FastAPI application by itself; write"),
        (["number:app"], "number:app: is of type int, which is no ASGI application"),
        (["several"], "has several applications; write several:app or several:other"),
        (["../served.py"], "write --app-dir .. served:app"),
        (["missing:app"], "there is no module 'missing' in"),
        (["served:ap"], "module 'served' has no attribute 'ap'; did you mean 'app'?"),
        (["needing:app"], "needs the module 'no_such_library'"),
        (["broken:app"], "importing it raised RuntimeError: first second"),
        (["served:make_none", "--factory"], "the factory raised LookupError: no settings"),
        (["served:app", "--uds", "no/socket"], "there is no directory"),
        (["served:app", "--uds", "served.py"], "there is a file of another kind; choose another"),
        (["served:app", "--uds", "x" * 200], "the path is longer than"),
        (["served:app", "--fd", "77"], "cannot serve on --fd 77: Bad file descriptor"),
        (["served:app", "--ssl-certfile", "no.pem"], "certificate of no.pem: No such file"),
        (["served:app", "--ssl-certfile", "served.py"], "cannot use the certificate of served.py"),
        (["served:app", "--ssl-keyfile", "key.pem"], "needs a certificate; give --ssl-certfile"),
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
