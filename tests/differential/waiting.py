"""Endpoints that are in no hurry, for requests that interleave or are given up on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from starlette.exceptions import HTTPException

from tests.differential.endpoints import tell
from tests.differential.part import endpoint

if TYPE_CHECKING:
    from tests.differential.world import World


class Pause:
    """Suspends the request once; whoever drives it decides when it goes on."""

    def __await__(self) -> Any:
        yield


@endpoint(name="hold")
async def hold(world: World, who: str, request: Any) -> Any:
    first = tell(world, who, request)
    for _ in range(2):
        await Pause()
    return world.ns.JSONResponse([first == tell(world, who, request), first])


@endpoint(name="hold_body")
async def hold_body(world: World, who: str, request: Any) -> Any:
    await Pause()
    body = await request.body()
    await Pause()
    raise HTTPException(418, body.decode() + who)


@endpoint(name="forever", waits=True)
async def forever(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    try:
        await anyio.sleep_forever()
    except BaseException as exc:
        world.log.append(("ended by", type(exc).__name__))
        raise
    finally:
        world.log.append(("cleaned up", who))


@endpoint(name="fail_after", waits=True)
async def impatient(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    with anyio.fail_after(0):
        await anyio.sleep_forever()


@endpoint(name="move_on_after", waits=True)
async def patient(world: World, request: Any) -> Any:
    with anyio.move_on_after(0) as scope:
        await anyio.sleep_forever()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
    return world.ns.JSONResponse(scope.cancelled_caught)
