"""Files, static files, paths sent by the server, hints and pushes, through middleware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.asgi import Visit
from tests.differential import raw
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.dispatches import DISPATCHES
from tests.differential.middleware.files import (
    FILE,
    PATHSEND,
    big_file,
    file,
    known_file,
    no_file,
)
from tests.differential.modes import Mode
from tests.differential.part import Part, endpoint
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served, middleware
from tests.differential.world import World

ALL = (("extensions", {f"http.response.{name}": {} for name in ("early_hint", "push", "debug")}),)
RANGES = (b"bytes=0-3", b"bytes=-5", b"bytes=3-", b"bytes=9999-", b"bytes", b"lines=1")
VISITS = (
    Visit(PATH),
    Visit(PATH, method="HEAD"),
    Visit(PATH, extra=PATHSEND),
    Visit(PATH, extra=PATHSEND, method="HEAD"),
    Visit(PATH, extra=PATHSEND, headers=((b"range", b"bytes=0-3"),)),
    Visit(PATH, spec="2.4"),
    *(Visit(PATH, headers=((b"range", value),)) for value in RANGES),
)
STACKS = (
    (dispatches.header,),
    (dispatches.header, dispatches.wraps_body),
    (layers.both, dispatches.header, layers.sends),
)


@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_files(mode: Mode, stack: tuple[Part, ...]) -> None:
    """Whole and in part, by the server or by hand."""
    for below in (file, known_file, big_file, no_file):
        check(mode, Scene(Served(below, stack), VISITS))
    check(mode, Scene(Served(file, stack), VISITS), backend="trio")


@pytest.mark.parametrize("part", DISPATCHES, ids=repr)
def test_a_path_for_the_server_to_send(mode: Mode, part: Part) -> None:
    """The message that is no piece of the body comes out of each dispatch function."""
    visits = (VISITS[2], VISITS[0])
    check(mode, Scene(Served(known_file, (part,)), visits))
    check(mode, Scene(Served(raw.path_sender, (part, part)), visits))


def static(parts: tuple[Part, ...], place: str) -> Callable[[World], Any]:
    """Static files under a mount, with the middleware there or above all."""

    def build(world: World) -> Any:
        layers = middleware(world, parts, "layer ")
        files = world.ns.StaticFiles(directory=FILE.parent, html=True)
        above, below = (layers, None) if place == "app" else (None, layers)
        mount = world.ns.Mount("/static", files, middleware=below)
        return world.ns.Starlette(routes=[mount], middleware=above)

    return build


@pytest.mark.parametrize("place", ["app", "mount"])
@pytest.mark.parametrize("stack", STACKS, ids=repr)
def test_static_files(mode: Mode, stack: tuple[Part, ...], place: str) -> None:
    """Found, not found, not modified, of the wrong method, or beyond the directory."""
    paths = ("/static/__init__.py", "/static/none", "/static/", "/static", "/static/../x")
    visits = [Visit(path) for path in paths]
    old = (b"if-modified-since", b"Thu, 01 Jan 2099 00:00:00 GMT")
    visits += [Visit(paths[0], headers=(old,)), Visit(paths[0], method="POST")]
    visits += [Visit(paths[0], extra=PATHSEND), Visit(paths[0], method="HEAD")]
    check(mode, Scene(Served(build=static(stack, place)), tuple(visits)))


@endpoint
async def hints_by_request(world: World, request: Any) -> Any:
    await request.send_early_hints("</style.css>; rel=preload", "</app.js>")
    world.tell("endpoint", "has hinted")
    return world.ns.PlainTextResponse("hinted")


@endpoint
async def pushes_by_request(world: World, request: Any) -> Any:
    await request.send_push_promise("/style.css")
    return world.ns.PlainTextResponse("pushed")


@pytest.mark.parametrize("part", [*DISPATCHES[:12], *DISPATCHES[-12:-1]], ids=repr)
def test_hints_and_pushes(mode: Mode, part: Part) -> None:
    """What is sent before the answer, where the server takes it and where not."""
    visits = (Visit(PATH, extra=ALL), Visit(PATH))
    for below in (hints_by_request, pushes_by_request, raw.hints, raw.debugging):
        for stack in ((part,), (dispatches.header, part, layers.marks)):
            check(mode, Scene(Served(below, stack), visits))
