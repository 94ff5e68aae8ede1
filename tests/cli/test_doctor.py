"""`turbostar doctor`: the report on the screen and as JSON, and what it does to the process."""

from __future__ import annotations

import asyncio
import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import turbostar
from turbostar.cli.commands import main

_APP = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

class Timing:
    def __init__(self, app, unit="s"):
        self.app = app
        if unit != "s":
            raise ValueError("no such unit")

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

class Asked(Route):
    def matches(self, scope):
        return super().matches(scope)

async def home(request):
    return PlainTextResponse("home")

def make():
    return Starlette(routes=[
        Route("/", home),
        Mount("/shop", name="shop", routes=[Route("/{id:int}", home, methods=["POST"])]),
        Asked("/[b]asked[/b]", home, name="asked"),
    ], middleware=[Middleware(Timing)])

app = make()
broken = Starlette(middleware=[Middleware(Timing, unit="h")])
"""

_LAYERED = """
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

class Plain(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)

class Timed(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        async with asyncio.timeout(9):
            return await call_next(request)

async def home(request):
    return PlainTextResponse(str(request))

routes = [Route("/", home)]
together = Starlette(routes=routes, middleware=[Middleware(Plain), Middleware(Plain)])
split = Starlette(routes=routes, middleware=[Middleware(Timed)])
"""

_SWAPPED = """
import turbostar
from starlette.routing import Route as StockRoute
from turbostar.applications import Starlette
from turbostar.responses import PlainTextResponse
from turbostar.routing import Route

async def home(request):
    return PlainTextResponse("home")

app = Starlette(routes=[Route("/", home), StockRoute("/stock", home)])
"""


@pytest.fixture(autouse=True)
def restored(tmp_path: pathlib.Path) -> Iterator[None]:
    (tmp_path / "examined.py").write_text(_APP)
    (tmp_path / "layered.py").write_text(_LAYERED)
    (tmp_path / "swapped.py").write_text(_SWAPPED)
    (tmp_path / "both.py").write_text(_SWAPPED + "\nturbostar.install()\n")
    turbostar.uninstall()
    path, install = list(sys.path), turbostar.install
    yield
    assert turbostar.install is install
    turbostar.uninstall()
    sys.path[:] = path
    for name in ("examined", "layered", "swapped", "both"):
        sys.modules.pop(name, None)


def report(tmp_path: pathlib.Path, *arguments: str) -> Any:
    """What `turbostar doctor` writes as JSON."""
    out = tmp_path / "report.json"
    assert main(["doctor", *arguments, "--app-dir", str(tmp_path), "--json", str(out)]) == 0
    return json.loads(out.read_text())


@pytest.mark.parametrize("arguments", [["examined:app"], ["examined:make", "--factory"]])
def test_json(tmp_path: pathlib.Path, arguments: list[str]) -> None:
    """The JSON holds all of the report."""
    found = report(tmp_path, *arguments)
    assert found["summary"] == (
        "3 of 4 routes on the fast path; stack: fused from ExceptionMiddleware down"
    )
    assert found["mode"] == "installed"
    assert found["replaced"] == []
    assert all(standing["in_force"] for standing in found["accelerations"])
    assert [layer["name"] for layer in found["layers"] if not layer["fused"]] == ["Timing"]
    assert found["layers"][2] == {
        "name": "Timing",
        "defined": "examined:Timing",
        "state": "foreign ASGI",
        "task": 1,
        "fused": False,
        "reasons": [],
        "notes": [],
    }
    assert found["routes"][2] == {
        "path": "/shop/{id:int}",
        "methods": ["POST"],
        "name": "shop:home",
        "kind": "HTTP",
        "endpoint": "examined:home",
        "depth": 1,
        "fast": True,
        "matched": "index + regex",
        "run": "fused endpoint",
        "reasons": [],
        "notes": [],
    }
    (reason,) = [
        reason for reason in found["routes"][3]["reasons"] if "matches()" in reason["cause"]
    ]
    assert reason["cause"].startswith("class examined:Asked overrides matches()")
    assert reason["change"] == "remove the override if it is not needed"


def test_screen(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary comes first, each route has a line, and each reason is told once."""
    report(tmp_path, "examined:app")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 of 4 routes on the fast path; stack: fused from ExceptionMiddleware down"
    assert "accelerations in force (turbostar.install() is in force" in lines[1]
    (asked,) = [line.split() for line in lines if line.startswith("/[b]asked[/b]")]
    assert " ".join(asked[1:]) == "GET, HEAD asked asked each time its handle() no [1]"
    (below,) = [line for line in lines if "/shop/{id:int}" in line]
    assert below.startswith("  /shop/{id:int}  POST")
    start = lines.index("[1] class examined:Asked overrides matches(): it is asked for every "
                        "request that reaches it")  # fmt: skip
    assert lines[start + 1] == "    -> remove the override if it is not needed"


def test_tasks(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where BaseHTTPMiddleware splits the stack into tasks, there is a column of them."""
    report(tmp_path, "layered:together")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("stack: fused from ExceptionMiddleware down, 1 task (on stock 3)")
    start = lines.index("Middleware, from the outside in")
    assert lines[start + 1].split() == ["Layer", "Defined", "State", "Why"]
    assert lines[start + 4].split() == ["Plain", "layered", "shares", "its", "task"]
    (home,) = [line for line in lines if line.startswith("/ ")]
    assert home.endswith("yes   [1]")
    start = lines.index("[1] its endpoint hands its request on: it runs in a task of its own under "
                        "BaseHTTPMiddleware")  # fmt: skip
    assert lines[start + 1] == "    -> hand on what was read of the request, not the request itself"
    found = report(tmp_path, "layered:split")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("stack: fused from ExceptionMiddleware down, 2 tasks (on stock 2)")
    start = lines.index("Middleware, from the outside in")
    assert lines[start + 1].split() == ["Layer", "Defined", "State", "Task", "Why"]
    assert [line.split()[-1] for line in lines[start + 2 : start + 7]] == [
        "1",
        "1",
        "[1]",
        "2",
        "2",
    ]
    assert lines[start + 4].split() == ["Timed", "layered", "new", "task", "below", "1", "[1]"]
    assert [layer["task"] for layer in found["layers"]] == [1, 1, 1, 2, 2]


def test_swapped_imports(tmp_path: pathlib.Path) -> None:
    """An app that swapped its imports is examined without install(), unless it calls it."""
    found = report(tmp_path, "swapped:app")
    assert found["mode"] == "swapped"
    assert [route["fast"] for route in found["routes"]] == [True, False]
    found = report(tmp_path, "both:app")
    assert found["mode"] == "installed"
    assert [route["fast"] for route in found["routes"]] == [True, True]


def test_kill_switch(tmp_path: pathlib.Path) -> None:
    """With TURBOSTAR_DISABLE=1 the report says that all is stock."""
    for target in ("examined:app", "swapped:app"):
        done = subprocess.run(
            [sys.executable, "-m", "turbostar", "doctor", target],
            cwd=tmp_path,
            env={"TURBOSTAR_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "routes on the fast path; stack: stock\n" in done.stdout
        assert "refused: all: TURBOSTAR_DISABLE is set" in done.stdout
        assert done.stderr == ""


def test_refusals(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody replaced is named on the screen, with the module that did it."""
    (tmp_path / "examined.py").write_text(
        _APP
        + """
from starlette.requests import Request
async def body(self):
    return b""
Request.body = body
Route.handle = body
"""
    )
    program = "import sys; from turbostar.cli.commands import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, "doctor", "examined:app"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    refused = "  refused: starlette.requests.Request.body: has been replaced by examined\n"
    assert refused in done.stdout
    assert "  starlette.routing.Route.handle has been replaced by examined\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["missing:app"], "there is no module 'missing'"),
        (["examined:app", "--app-dir", "nowhere"], "nowhere: no such directory"),
        (["examined:broken"], "building its middleware stack raised ValueError: no such unit; co"),
        (["examined:app", "--json", "nowhere/report.json"], "No such file or directory; give a"),
    ],
)
def test_mistakes(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    cause: str,
) -> None:
    """What cannot be examined is told in one line, with exit status 2."""
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--app-dir", str(tmp_path), *arguments]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert cause in error


def test_docs_of_middleware(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of docs/middleware.md run, and are what the page says of them."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "middleware.md").read_text()
    (tmp_path / "main.py").write_text(first := _blocks(page, "python")[0])
    monkeypatch.delitem(sys.modules, "main", raising=False)
    report(tmp_path, "main:app")
    monkeypatch.delitem(sys.modules, "main")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    (shown,) = (block for block in _blocks(page, "text") if block.startswith("$ turbostar"))
    top, _, table = shown.partition("\n\n")
    assert top.splitlines()[1] == lines[0]
    assert table.rstrip() in "\n".join(lines)

    second = _blocks(page, "python")[1]
    for install, user in ((turbostar.install, "somebody"), (turbostar.uninstall, "nobody")):
        install()
        assert _headers(first)["access-control-allow-origin"] == "*"
        assert _headers(first)["x-stamp"] == "1"
        assert _headers(first)["server-timing"].startswith("app;dur=")
        assert _headers(second)["x-user"] == user


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


def _headers(source: str) -> dict[str, str]:
    """The headers that an application answers with, given its source."""
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(source, namespace)
    found: dict[str, str] = {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        found.update({name.decode(): value.decode() for name, value in message.get("headers", ())})

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    headers = [(b"origin", b"http://a.org")]
    asyncio.run(namespace["app"]({**scope, "headers": headers}, receive, send))
    return found
