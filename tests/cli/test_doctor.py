"""`turbostar doctor`: the report on the screen and as JSON, and what it does to the process."""

from __future__ import annotations

import ast
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
from tests.asgi import Visit, ask
from turbostar._explain.reasons import Reason
from turbostar.cli.commands import main
from turbostar.cli.diagnosis import Advice

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
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

class Plain(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)

class Pure:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

async def home(request):
    return PlainTextResponse(str(request))

routes = [Route("/", home)]
together = Starlette(routes=routes, middleware=[Middleware(Plain), Middleware(Plain)])
split = Starlette(routes=routes, middleware=[Middleware(Plain), Middleware(Pure)])
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
    assert reason["link"] == "docs/doctor.md#overridden"


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
    assert lines[start + 2] == "    docs/doctor.md#overridden"


def test_tasks(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is a BaseHTTPMiddleware, there is a column of tasks."""
    report(tmp_path, "layered:together")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("stack: fused from ExceptionMiddleware down, 3 tasks")
    start = lines.index("Middleware, from the outside in")
    assert lines[start + 1].split() == ["Layer", "Defined", "State", "Task", "Why"]
    assert lines[start + 4].split() == ["Plain", "layered", "whole", "responses", "1"]
    found = report(tmp_path, "layered:split")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("stack: fused from ExceptionMiddleware down, 2 tasks")
    start = lines.index("Middleware, from the outside in")
    assert lines[start + 4].split() == ["Plain", "layered", "messages", "1", "[1]"]
    assert [layer["task"] for layer in found["layers"]] == [1, 1, 1, 2, 2, 2]
    (cause,) = found["layers"][2]["reasons"]
    assert cause["cause"].startswith("Pure, below Plain, may do something after it was answered")


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
        (["examined:app", "--json", "nowhere/report.json"], "there is no directory"),
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


_REQUESTS = """
{"path": "/"}
{"path": "/", "method": "HEAD"}
{"path": "/shop/7?x=1", "method": "POST"}
{"path": "/shop/7"}
{"path": "/shop/none"}
{"path": "/nowhere"}
{"path": "/%5Bb%5Dasked%5B/b%5D"}
{"path": "/%5Bb%5Dasked%5B/b%5D"}
{"path": "/", "websocket": []}
"""


def test_share_of_recorded_requests(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recorded requests are matched, not sent, and those that a slow route answers are counted."""
    file = tmp_path / "requests.jsonl"
    file.write_text(_REQUESTS)
    found = report(tmp_path, "examined:app", "--requests", str(file))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "7 of 9 recorded requests take the fast path (77 %)"
    assert lines[2] == "  2 are not: /[b]asked[/b]"
    assert [one["route"] for one in found["requests"]] == [
        "/",
        "/",
        "/shop/{id:int}",
        "/shop/{id:int}",
        "/shop",
        "no route",
        "/[b]asked[/b]",
        "/[b]asked[/b]",
        "no route",
    ]
    assert {one["route"] for one in found["requests"] if not one["fast"]} == {"/[b]asked[/b]"}


def test_code_of_others(tmp_path: pathlib.Path) -> None:
    """There is nothing to do in an installed package, unless it is the application's own."""
    pytest.importorskip("httpx")
    reason = Reason("cause", "change", where="httpx._client")
    assert Advice({"examined"}, "docs/").change(reason) == "in httpx: nothing to do"
    assert Advice({"httpx"}, "docs/").change(reason) == "change"
    mine = Reason("cause", "change", where=__name__)
    assert Advice({"examined"}, "docs/").change(mine) == "change"


def test_fastapi(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """FastAPI's handlers are said to be FastAPI's own, and what gains is told."""
    pytest.importorskip("fastapi")
    (tmp_path / "examined.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n"
        "@app.get('/items/{number}')\nasync def item(number: int): return number\n"
    )
    file = tmp_path / "requests.jsonl"
    file.write_text('{"path": "/items/1"}\n')
    found = report(tmp_path, "examined:app", "--requests", str(file))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("FastAPI: its handlers are its own") for line in lines)
    assert found["requests"] == [
        {"name": "GET /items/1", "route": "/items/{number}", "fast": False}
    ]
    (reason,) = found["routes"][-1]["reasons"]
    assert reason["cause"].startswith("FastAPI's route")
    assert reason["change"].startswith("nothing to do")


def test_every_reason_is_explained() -> None:
    """Each topic that a reason can have is a heading of the page that its link leads to."""
    root = pathlib.Path(__file__).parents[2]
    page = (root / "docs" / "doctor.md").read_text()
    headings = set(re.findall(r"^### (.+)$", page, flags=re.MULTILINE))
    used = {Reason("cause").topic}
    for path in (root / "turbostar" / "_explain").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason":
                given = [
                    *node.args[2:3],
                    *(one.value for one in node.keywords if one.arg == "topic"),
                ]
                used |= {one.value for one in given if isinstance(one, ast.Constant)}
    assert used == headings


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("docs/ in the source distribution", "docs/doctor.md#stack"),
        ("https://docs.example/", "https://docs.example/doctor.md#stack"),
    ],
)
def test_links(address: str, link: str) -> None:
    """A reason links to the documentation's address, or to its file where there is none."""
    assert Advice((), address).link(Reason("cause")) == link


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
    for install in (turbostar.install, turbostar.uninstall):
        install()
        assert _headers(first)["access-control-allow-origin"] == "*"
        assert _headers(first)["x-stamp"] == "1"
        assert _headers(first)["server-timing"].startswith("app;dur=")
        assert _headers(second)["x-version"] == "7"


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


def _headers(source: str) -> dict[str, str]:
    """The headers that an application answers with, given its source."""
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(source, namespace)
    asked = Visit("/", host=None, headers=((b"origin", b"http://a.org"),))
    client = asyncio.run(ask(namespace["app"], asked))
    headers = client.sent[0]["headers"]
    return {name.decode(): value.decode() for name, value in headers}


def test_doctor_tells_of_handlers_that_are_supplied(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How each is compiled, and why one is not."""
    (tmp_path / "supplied_app.py").write_text(
        """
from starlette.applications import Starlette
from starlette.routing import Route

from turbostar.di import Container, Inject, Lazy

di = Container()
di.value(3)


class Things: ...


async def good(number: Inject[int]): ...


async def late(things: Lazy[Things]): ...


async def bad(text: Inject[str]): ...


di.add(Things)
routes = [Route("/good", good), Route("/late", late), Route("/bad", bad)]
app = Starlette(routes=routes)
di.install(app)
"""
    )
    assert main(["doctor", "supplied_app:app", "--app-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    lines = out[out.index("Handlers supplied by turbostar.di") :].splitlines()
    assert lines[2].split() == ["good", "supplied_app.py:14", "one", "function", "yes"]
    assert "with a scope object" in lines[3]
    assert "DI001 nothing provides str" in lines[4]
