"""Every dispatch function over every endpoint: what `call_next` gives, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asgi import Visit
from tests.differential import answering, failing, raw
from tests.differential.middleware import dispatches, streaming
from tests.differential.middleware.dispatches import DISPATCHES, STOPPING
from tests.differential.middleware.forms import FORMS, by
from tests.differential.modes import Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served

ENDPOINTS = (
    *(*answering.PLAIN, *raw.RAW, *failing.RAISING, *failing.LATE, *streaming.STREAMS),
    streaming.pausing,
)
WHOLE = (*answering.PLAIN, *failing.RAISING)
RAISING_AFTER = (dispatches.raises_after, dispatches.raises_http_after)
#: They would wait for a reader, and then for its client.
WAITING = (*STOPPING, dispatches.drops_after_reading, dispatches.reads_and_returns)


def scenes(part: Part) -> list[Scene]:
    """All endpoints below one dispatch function; what streams, for servers of both kinds."""
    found = []
    for endpoint in ENDPOINTS:
        streams = endpoint.traits.get("streams", False)
        if endpoint is streaming.gated and part in WAITING:
            continue
        if part is dispatches.swallows_and_calls_again and endpoint not in WHOLE:
            continue  # of two answers at once
        for spec in ("2.3", "2.4") if streams else ("2.3",):
            unheard = part in STOPPING and (spec == "2.3" or part in RAISING_AFTER)
            if unheard and endpoint.traits.get("fails"):
                continue  # or is cancelled before
            served = Served(endpoint, (part,))
            scene = Scene(
                served,
                (Visit(PATH, spec=spec),),
                lanes=endpoint.traits.get("streams", False) and served.has_threads,
                unheard=("stream",) if unheard else (),
            )
            found.append(scene)
    return found


@pytest.mark.parametrize("part", DISPATCHES, ids=repr)
def test_each_dispatch_function_over_each_endpoint(mode: Mode, part: Part) -> None:
    """Same messages, same exceptions, and the same order of what everybody does."""
    check(mode, *scenes(part))


@pytest.mark.parametrize("part", DISPATCHES, ids=repr)
def test_each_dispatch_function_on_trio(mode: Mode, part: Part) -> None:
    """Over some endpoints, others for each; on trio the order of tasks is random."""
    check(mode, *scenes(part)[DISPATCHES.index(part) % 5 :: 5], backend="trio")


VISITS = (
    *(Visit(PATH, extra=(("state", {"n": 1}),)), Visit("/none"), Visit(PATH + "/")),
    *(Visit(PATH, method="HEAD"), Visit(PATH, body=(b"ab", b"cd"), method="POST", slow=True)),
    Visit(PATH, method="PUT", extra=(("root_path", "/root"),)),
)


@pytest.mark.parametrize("name", FORMS)
def test_each_way_to_write_a_middleware(mode: Mode, name: str) -> None:
    """Subclasses, arguments, callables, partials, decorators: for hits, 404, 405 and redirects."""
    below = (answering.json, failing.boom, failing.with_context, streaming.none)
    for part in (dispatches.header, dispatches.swallows, dispatches.drops, dispatches.looks):
        parts = by(part, name)
        check(mode, *(Scene(Served(e, (parts,)), VISITS[:2]) for e in below))
        check(mode, Scene(Served(answering.background, (parts, parts)), VISITS), backend="trio")


@pytest.mark.parametrize("part", DISPATCHES, ids=repr)
def test_other_requests_than_hits(mode: Mode, part: Part) -> None:
    """404, 405, HEAD, redirects and bodies come through each dispatch function."""
    check(mode, Scene(Served(answering.json, (part,)), VISITS))
    check(mode, Scene(Served(answering.in_thread, (part,)), VISITS[:2]))


def _call_next_name(world: Any) -> Any:
    seen: list[Any] = []

    async def dispatch(request: Any, call_next: Any) -> Any:
        seen.append(call_next)
        world.tell("dispatch", call_next.__name__, len({id(one) for one in seen}))
        return await call_next(request)

    app = answering.plain(world, "endpoint")
    return world.ns.BaseHTTPMiddleware(world.ns.request_response(app), dispatch)


def test_call_next_is_made_for_each_request(mode: Mode) -> None:
    """A function of the same name, another one for each request."""
    check(mode, Scene(Served(build=_call_next_name), (Visit(PATH), Visit(PATH))))
