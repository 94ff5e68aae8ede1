"""Streamed responses: the same messages, exceptions and cancellations as by stock."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from tests.differential.loops import run
from tests.differential.modes import STOCK, Mode
from tests.differential.streams import (
    ASYNCIO_ONLY,
    BODIES,
    CALLERS,
    CANCELLING_TASKS,
    CLIENTS,
    CONNECTIONS,
    MOVING,
    THREADED,
    WAITING,
    Story,
    tell,
)


def told(mode: Mode, story: Story, backend: str) -> Any:
    """What happened in a mode; None if it never ended."""

    async def work() -> Any:
        with anyio.move_on_after(5):
            log = await tell(response_class, story)
            # Whoever has been cancelled has also ended, but for what sent nothing.
            left = len(asyncio.all_tasks()) - 1 if backend == "asyncio" else 0
            return log, left
        return None

    with mode.active():
        response_class = mode.namespace().StreamingResponse
        return run(work, backend)


@functools.cache
def oracle(story: Story, backend: str) -> Any:
    return told(STOCK, story, backend)


def stories(client: str, *, native: bool = True) -> Iterator[Story]:
    """All that may happen to a client, but for what is up to chance."""
    for body, connection, caller, spec in itertools.product(
        BODIES, CONNECTIONS, CALLERS, ("2.3", "2.4")
    ):
        if spec == "2.4" and client != "staying":
            continue  # nobody asks it
        if not native and ({client, body} & ASYNCIO_ONLY or caller in CANCELLING_TASKS):
            continue
        if caller.startswith("cancelled") and (
            body not in WAITING or connection == "lost" or client in MOVING
        ):
            continue  # it may be over before the caller is cancelled
        if caller == "cancelled in a scope" and client == "shielded":
            continue  # the end of one task races with that of the other
        if client == "native" and caller == "handling":
            continue  # asyncio makes up the exception, and in which context is its own business
        if body in THREADED and client in {*MOVING, "shielded"}:
            continue  # races with the thread
        if body == "shielded" and connection in ("lost", "broken"):
            continue  # leaves its scope in another task than it has entered it in
        yield Story(client, body, connection, caller, spec)


@pytest.mark.parametrize("client", CLIENTS)
def test_streams_are_sent_as_by_stock(mode: Mode, client: str) -> None:
    """Whatever the client, the body, the connection and the caller do."""
    for story in stories(client):
        assert told(mode, story, "asyncio") == oracle(story, "asyncio"), story


@pytest.mark.parametrize("client", sorted(CLIENTS.keys() - ASYNCIO_ONLY))
def test_streams_are_sent_as_by_stock_on_trio(mode: Mode, client: str) -> None:
    """There it is Starlette's own task group that sends them."""
    for story in stories(client, native=False):
        if story.connection == "open" or story.body == "pausing":
            assert told(mode, story, "trio") == oracle(story, "trio"), story
