"""Endpoints that are in no hurry, for requests that interleave or are given up on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from starlette.exceptions import HTTPException

from tests.differential.endpoints import endpoint, tell

if TYPE_CHECKING:
    from tests.differential.build import World


class Pause:
    """Suspends the request once; whoever drives it decides when it goes on."""

    def __await__(self) -> Any:
        yield


@endpoint("hold")
def _(world: World, label: str) -> Any:
    async def hold(request: Any) -> Any:
        first = tell(world, label, request)
        for _ in range(2):
            await Pause()
        return world.ns.JSONResponse([first == tell(world, label, request), first])

    return hold


@endpoint("hold_body")
def _(world: World, label: str) -> Any:
    async def hold(request: Any) -> Any:
        await Pause()
        body = await request.body()
        await Pause()
        raise HTTPException(418, body.decode() + label)

    return hold


@endpoint("forever", waits=True)
def _(world: World, label: str) -> Any:
    async def forever(request: Any) -> Any:
        tell(world, label, request)
        try:
            await anyio.sleep_forever()
        except BaseException as exc:
            world.log.append(("ended by", type(exc).__name__))
            raise
        finally:
            world.log.append(("cleaned up", label))

    return forever


@endpoint("fail_after", waits=True)
def _(world: World, label: str) -> Any:
    async def impatient(request: Any) -> Any:
        tell(world, label, request)
        with anyio.fail_after(0):
            await anyio.sleep_forever()

    return impatient


@endpoint("move_on_after", waits=True)
def _(world: World, label: str) -> Any:
    async def patient(request: Any) -> Any:
        with anyio.move_on_after(0) as scope:
            await anyio.sleep_forever()
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        return world.ns.JSONResponse(scope.cancelled_caught)

    return patient
