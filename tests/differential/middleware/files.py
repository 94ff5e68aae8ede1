"""Endpoints that send files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.differential.part import endpoint
from tests.differential.world import World

FILE = Path(__file__).with_name("__init__.py")
PATHSEND = (("extensions", {"http.response.pathsend": {}}),)


@endpoint(threads=True)
async def file(world: World, request: Any) -> Any:
    async def after() -> None:
        world.tell("background", "after the file")

    task = world.ns.BackgroundTask(after)
    return world.ns.FileResponse(FILE, filename="é.txt", background=task)


@endpoint(threads=True)
async def known_file(world: World, request: Any) -> Any:
    return world.ns.FileResponse(FILE, stat_result=os.stat(FILE), headers={"x-known": "1"})


@endpoint(threads=True)
async def no_file(world: World, request: Any) -> Any:
    return world.ns.FileResponse(FILE.with_name("nowhere"))


@endpoint(threads=True)
async def big_file(world: World, request: Any) -> Any:
    class Big(world.ns.FileResponse):  # type: ignore[misc, name-defined]
        chunk_size = 20

    return Big(FILE)
