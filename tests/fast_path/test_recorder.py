"""The recorder sees what is entered, and changes nothing of it."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

import pytest
from starlette.routing import Route

from tests.fast_path.case import Case, Lost, check, losses
from tests.fast_path.recorder import Recorder, recording
from tests.fast_path.serving import Names, get, serve


def test_functions_are_seen_by_name() -> None:
    """A method of Starlette's is recorded, with what it calls in turn."""
    with recording(Recorder()) as recorder:
        Route("/{name}", lambda request: None)
    assert recorder.entered["starlette.routing:Route.__init__"] == 1
    assert recorder.entered["starlette.routing:compile_path"] == 1
    assert recorder.calls > sum(recorder.entered.values())


def test_patterns_are_counted() -> None:
    """Each match of a compiled expression counts, whatever holds it."""
    match = re.compile("a").match
    with recording(Recorder()) as recorder:
        match("a")
        match("b")
    assert recorder.patterns == 2


def test_nothing_is_recorded_afterwards() -> None:
    """What was watching before watches again."""
    seen: list[str] = []

    def earlier(frame: Any, event: str, arg: Any) -> None:
        seen.append(event)

    sys.setprofile(earlier)
    try:
        with recording(Recorder()) as recorder:
            pass
        assert sys.getprofile() is earlier
    finally:
        sys.setprofile(None)
    count = recorder.calls
    Route("/", lambda request: None)
    assert recorder.calls == count


def test_coroutines_are_seen_in_all_tasks() -> None:
    """A coroutine counts whichever task runs it, each time that it goes on."""

    async def paused() -> None:
        await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(paused(), paused())

    with recording(Recorder()) as recorder:
        asyncio.run(both())
    (count,) = (n for name, n in recorder.entered.items() if name.endswith(".paused"))
    assert count == 4


def test_watching_turns_nothing_off() -> None:
    """What is replaced is what turbostar looks for: the functions are as they were."""
    before = dict(vars(Route))
    with recording(Recorder()):
        assert dict(vars(Route)) == before


def _one_route(names: Names) -> Any:
    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse("here")

    return names.Starlette(routes=[names.Route("/", endpoint)]), [get("/")]


def test_a_case_that_shows_nothing_fails() -> None:
    """A function that stock does not call either proves nothing."""
    case = Case("of nothing", _one_route, ("routing:Mount.matches",))
    with pytest.raises(AssertionError, match="not even stock calls"):
        check(case, "swap")


def test_what_was_called_is_named() -> None:
    """The message names the function, and how often it was called if it may be at all."""
    recorder = Recorder()
    app, steps = _one_route(Names("starlette"))
    serve(app, steps, recorder=recorder)
    case = Case("lost", _one_route, ("routing:Route.matches",), {"routing:Router.app": 0})
    assert losses(case, recorder) == [
        "starlette.routing:Route.matches was called",
        "starlette.routing:Router.app was called",
    ]
    counted = Case("lost", _one_route, (), {"routing:Router.__call__": 1}, patterns=0)
    recorder.entered["starlette.routing:Router.__call__"] = 3
    assert losses(counted, recorder) == [
        "starlette.routing:Router.__call__ was called 3 times, not 1",
        "1 patterns were tried, not 0",
    ]


def test_a_slow_path_fails() -> None:
    """A case that turbostar answers by Starlette's own code fails by name."""

    def fetched(names: Names) -> Any:
        app, _ = _one_route(names)

        class Asked(names.Route):  # type: ignore[misc, name-defined]
            def matches(self, scope: Any) -> Any:
                return super().matches(scope)

        app.router.routes.append(Asked("/asked", app.router.routes[0].endpoint))
        return app, [get("/asked")]

    with pytest.raises(Lost, match=r"starlette\.routing:Route\.matches was called"):
        check(Case("asked", fetched, ("routing:Route.matches",)), "install")
