"""`turbostar routes`: every route with its full path, the name that url_for takes, its endpoint."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from turbostar._explain.places import Place, walk
from turbostar.cli.commands import main

_APP = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

async def show(request):
    return PlainTextResponse("")

async def chat(websocket):
    await websocket.close()

class Wrapped:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

app = Starlette(routes=[
    Route("/", show, name="home"),
    Mount("/a", name="a", routes=[Mount("/b", routes=[Route("/[i]{c}[/i]", show)])]),
    Host("{sub}.example.org", Router([Route("/", show)]), name="host"),
    WebSocketRoute("/chat", chat),
    Mount("/files", StaticFiles(directory=".")),
])
wrapped = Wrapped(app)

async def bare(scope, receive, send):
    pass
"""


@pytest.fixture(autouse=True)
def restored(tmp_path: pathlib.Path) -> Iterator[None]:
    (tmp_path / "listed.py").write_text(_APP)
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("listed", None)


async def endpoint(request: Any) -> Response:
    return PlainTextResponse("")


@pytest.mark.parametrize("target", ["listed:app", "listed:wrapped"])
def test_json(tmp_path: pathlib.Path, target: str) -> None:
    """The JSON holds every route, also of an application within another."""
    out = tmp_path / "routes.json"
    assert main(["routes", target, "--app-dir", str(tmp_path), "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert [(route["kind"], route["path"], route["name"]) for route in found] == [
        ("HTTP", "/", "home"),
        ("Mount", "/a", "a"),
        ("Mount", "/a/b", ""),
        ("HTTP", "/a/b/[i]{c}[/i]", "a:show"),
        ("Host", "{sub}.example.org", "host"),
        ("HTTP", "{sub}.example.org/", "host:show"),
        ("WebSocket", "/chat", "chat"),
        ("Mount", "/files", ""),
    ]
    assert [route["methods"] for route in found[:2]] == [["GET", "HEAD"], None]
    assert [route["depth"] for route in found[:5]] == [0, 0, 1, 2, 0]
    assert found[3]["endpoint"] == "listed:show"
    assert found[7]["endpoint"] == "starlette.staticfiles:StaticFiles"


def test_screen(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each route has one line, which nothing cuts, and what looks like markup is printed."""
    assert main(["routes", "listed:app", "--app-dir", str(tmp_path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["Kind", "Path", "Methods", "Name", "Endpoint"]
    assert lines[4] == ["HTTP", "/a/b/[i]{c}[/i]", "GET,", "HEAD", "a:show", "listed:show"]
    assert len(lines) == 9


def test_names_are_those_of_url_for() -> None:
    """The name that is listed for a route leads to its path."""
    mounts: list[BaseRoute] = [
        Mount("/a", name="a", routes=[Mount("/b", routes=[Route("/c", endpoint, name="c")])]),
        Mount("/d", routes=[Mount("/e", name="e", routes=[Route("/f", endpoint, name="f")])]),
        Mount("/g", name="", routes=[Route("/h", endpoint, name="h")]),
    ]
    app = Starlette(routes=mounts)
    for place in walk(app):
        if place.kind == "HTTP":
            assert app.url_path_for(place.name) == place.path


def test_kinds_and_endpoints() -> None:
    """A class endpoint takes any method; a route of a foreign class is called by that class."""

    class Other(BaseRoute):
        path = "/other"

    class Page(HTTPEndpoint):
        pass

    page, other = walk(Router([Route("/page", Page), Other()]))
    assert (page.methods, page.endpoint.rpartition(".")[2]) == (None, "Page")
    assert (other.kind, other.name, other.endpoint.rpartition(".")[2]) == ("Other", "", "Other")


def test_a_router_within_itself_is_listed_once() -> None:
    """A router mounted within itself does not go on for ever."""
    router = Router([Route("/a", endpoint)])
    router.routes.append(Mount("/again", app=router))
    assert [place.path for place in walk(router)] == ["/a", "/again"]


def test_anything_with_routes() -> None:
    """Objects of any class that have routes are listed, and those that middleware wraps."""

    class Wrapper:
        def __init__(self, app: Any) -> None:
            self.inner = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.inner(scope, receive, send)

    below = Starlette(routes=[WebSocketRoute("/socket", endpoint)])
    holder = SimpleNamespace(routes=[Mount("/in", Wrapper(below))])
    assert [place.path for place in walk(holder)] == ["/in", "/in/socket"]


def test_included_routers_of_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where FastAPI keeps the routes of included routers apart, they are asked of it."""
    module: Any = ModuleType("fastapi.routing")
    included = Route("/item", endpoint, name="item")
    effective = SimpleNamespace(
        original_route=included, path="/v1/item", name="item", methods={"GET"}, endpoint=endpoint
    )

    class Included(BaseRoute):
        __module__ = "fastapi.routing"

    def iter_route_contexts(routes: list[BaseRoute]) -> Iterator[Any]:
        for route in routes:
            yield effective if type(route) is Included else SimpleNamespace(original_route=route)

    module.iter_route_contexts = iter_route_contexts
    monkeypatch.setitem(sys.modules, "fastapi.routing", module)
    own = Route("/", endpoint)
    first, second = walk(Router([own, Included()]))
    assert first.route is own
    assert second == Place(
        route=effective,
        path="/v1/item",
        name="item",
        kind="HTTP",
        methods=("GET",),
        endpoint=f"{__name__}:endpoint",
        depth=0,
        router=second.router,
    )


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["listed:bare"], "listed:bare: has no routes; name a Starlette"),
        (["missing:app"], "there is no module 'missing'"),
        (["listed:app", "--json", "nowhere/routes.json"], "there is no directory"),
    ],
)
def test_mistakes(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    cause: str,
) -> None:
    """What has no routes, or cannot be imported, is told in one line, with exit status 2."""
    monkeypatch.chdir(tmp_path)
    assert main(["routes", "--app-dir", str(tmp_path), *arguments]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert cause in error
