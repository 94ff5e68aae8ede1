"""Exception handlers below and above middleware."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException

from tests.differential.part import Part, handler
from tests.differential.world import World


@handler
async def answers(world: World, who: str, request: Any, exc: Any) -> Any:
    return world.ns.JSONResponse(str(exc), getattr(exc, "status_code", 599))


@handler
async def no_answer(world: World, who: str, request: Any, exc: Any) -> Any:
    return None


@handler
async def reraises(world: World, who: str, request: Any, exc: Any) -> Any:
    raise exc


@handler
async def breaks(world: World, who: str, request: Any, exc: Any) -> Any:
    raise LookupError("the handler is broken")


@handler
async def turns(world: World, who: str, request: Any, exc: Any) -> Any:
    raise HTTPException(418, "turned into this")


@handler
async def reads(world: World, who: str, request: Any, exc: Any) -> Any:
    """The body is as available to a handler as to an endpoint."""
    return world.ns.PlainTextResponse(b"read: " + await request.body(), 598)


def _sync(world: World, who: str) -> Any:
    def answer(request: Any, exc: Any) -> Any:
        world.tell(who, "handles", exc)
        return world.ns.PlainTextResponse("from a thread", 597)

    return answer


sync = Part("sync", _sync, kind="handler", threads=True)

HANDLERS = (answers, no_answer, reraises, breaks, turns, sync)
