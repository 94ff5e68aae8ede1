"""Whoever has replaced a function of Starlette's is asked as often as on stock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asgi import Ask
from tests.differential.modes import Mode
from tests.differential.patches import KNOWN, POSSIBLE, WHEN_BUILT, Patch
from tests.differential.requests import Lookup
from tests.differential.scene import Scene, check
from tests.differential.tables import AppOf, H, M, R, RouterOf, W

TABLE = (
    R("/a", "json", methods=("GET", "POST")),
    R("/i/{a:int}", name="one"),
    R("/s/{a}", "sync"),
    R("/c", "class"),
    R("/stream", "stream"),
    R("/later", "background"),
    R("/418", "raise_http"),
    R("/500", "raise_boom"),
    W("/w", "ws_echo"),
    M("/m/{b}", None, (R("/x", name="two"), R("/418", "raise_http"))),
    M("/r", RouterOf((R("/x"),))),
    M("/app", AppOf(RouterOf((R("/x"), R("/418", "raise_http"))), handlers=((418, "sync"),))),
    H("b.example", RouterOf((R("/h"),))),
)
ASKS: tuple[Any, ...] = (
    *map(Ask, ("/a", "/i/7", "/s/x", "/c", "/stream", "/later", "/418", "/500", "/none", "/a/")),
    *map(Ask, ("/m/y/x", "/m/y/418", "/m/y/none", "/r/x", "/r/x/", "/app/x", "/app/418")),
    *(Ask("/a", method="PUT"), Ask("/a", method="POST", body=(b"1", b"2"))),
    *(Ask("/w", type="websocket"), Ask("/h", host="b.example"), Ask("/none", type="websocket")),
    *(Lookup("one", (("a", 7),)), Lookup("two", (("b", "y"),)), Lookup("three")),
)


def scenes(target: str, when: str, style: str = "function") -> list[Scene]:
    """An application, one with middleware, and a bare router, patched at that time."""
    app = AppOf(RouterOf(TABLE), handlers=(("Boom", "async"), (404, "async")))
    layered = AppOf(RouterOf(TABLE), middleware=("pure",))
    patch = Patch(target, style)
    made = []
    for top in (app, layered, RouterOf(TABLE)):
        match when:
            case "first":  # and then turbostar is installed, and the application built
                made.append(Scene(top, ASKS, before=(patch,)))
            case "once served":
                made.append(Scene(top, (Ask("/a"), Ask("/m/y/x"), patch, *ASKS)))
    return made


@pytest.mark.parametrize("when", ["first", "once served"])
@pytest.mark.parametrize("target", KNOWN)
def test_a_patch_of_a_known_tool_is_respected(mode: Mode, target: str, when: str) -> None:
    """Same calls of the replacement, in the same order among all other events."""
    for scene in scenes(target, when):
        check(mode, scene)


OTHERS = [
    (target, when)
    for target in POSSIBLE
    for when in ("first", "once served")
    if when == "first" or target not in WHEN_BUILT
]


@pytest.mark.parametrize(("target", "when"), OTHERS)
def test_any_other_patch_is_respected(mode: Mode, target: str, when: str) -> None:
    """So it is for functions that no known tool replaces."""
    for scene in scenes(target, when):
        check(mode, scene)


@pytest.mark.parametrize(
    "target", [*KNOWN, *(target for target, when in OTHERS if when == "once served")]
)
def test_a_patch_by_an_object_is_respected(mode: Mode, target: str) -> None:
    """One that says that it equals what it wraps, as those of wrapt do."""
    for scene in scenes(target, "once served", "proxy"):
        check(mode, scene)
