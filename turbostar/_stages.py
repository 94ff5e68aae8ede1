"""Stages: middleware that can return the response of what lies below it, in place of sending it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Rest", "Stage", "below", "register_stage", "stage_of", "unsendable", "with_sender"]

#: ``respond(middleware, scope, receive, passage)``, which returns a response, a `Rest`, or None
#: where nothing has answered; `passage` is the `turbostar._passing.Passage` that asks.
Stage = Callable[[Any, Scope, Receive, Any], Awaitable[Any]]

_STAGES: dict[Any, Stage] = {}


def register_stage(call: Any, respond: Stage) -> None:
    """Say that a middleware whose ``__call__`` is `call` can return its response by `respond`."""
    _STAGES[call] = respond


def stage_of(app: Any) -> Stage | None:
    """Return how to get the response of an application unsent; None if it can only send."""
    call = type(app).__call__
    # A wrapper of wrapt's would be found as well, for it equals what it wraps.
    return _STAGES.get(call) if type(call) is FunctionType else None


class Rest:
    """What is left to do for a request, in place of its response: an application that sends."""

    __slots__ = ("app",)

    def __init__(self, app: ASGIApp) -> None:
        self.app = app


def with_sender(app: ASGIApp, sender: Any, *given: Any) -> Rest:
    """Return what is left to do where `app` is to be called with another ``send``.

    Args:
        app: what sends.
        sender: makes what has that ``send``, of what is given and the one that is to be called.
    """

    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, sender(*given, send).send)

    return Rest(rest)


async def below(app: ASGIApp, scope: Scope, receive: Receive, passage: Any) -> Any:
    """Return the response of what a stage stands over, or a `Rest` that sends it."""
    stage = stage_of(app)
    return Rest(app) if stage is None else await stage(app, scope, receive, passage)


async def unsendable(message: Message) -> None:
    """The ``send`` of requests whose code was found to have no use for one."""
    raise RuntimeError(
        f"{message['type']!r} was sent by code that turbostar took for code that only reads its "
        "request; please report it, and set TURBOSTAR_DISABLE=1 until it is mended"
    )
