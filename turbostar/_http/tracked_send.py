"""Who sends a response, whether it has been started, and how complete ones are sent."""

from __future__ import annotations

from collections.abc import Coroutine
from types import MethodType
from typing import Any

from starlette.types import Message, Send

from turbostar._http.own_send import hand_over
from turbostar._stages.protocol import Answer, Stage, leads_to_answer

__all__ = [
    "TrackedSend",
    "hand_through",
    "is_followed",
    "send_answer",
    "send_parts",
    "send_response",
    "stage_above",
    "untracked",
]


class TrackedSend:
    """Remembers whether a response has been started through its `send`.

    Attributes:
        forward: the ``send`` that is called in the end.
        started: whether there was a message that starts a response.
    """

    started = False  # of the class, which makes an instance a third cheaper to build

    def __init__(self, send: Send) -> None:
        self.forward = send

    async def send(self, message: Message) -> None:
        """Send a message on, and note first whether it starts a response."""
        if message["type"] == "http.response.start":
            self.started = True
        await self.forward(message)


# Tracers name their spans after the function that sends: after Starlette's.
TrackedSend.send.__name__ = "sender"
TrackedSend.send.__qualname__ = "wrap_app_handling_exceptions.<locals>.wrapped_app.<locals>.sender"


def untracked(send: Any) -> Any:
    """Note in all that tracks it that a response is started; return the ``send`` behind it."""
    while type(send) is MethodType:
        # fast: a method takes its time to tell whose it is (handled HTTPException)
        owner = send.__self__
        if type(owner) is not TrackedSend:
            break
        owner.started = True
        send = owner.forward
    return send


def stage_above(send: Any) -> Stage | None:
    """The stage whose ``send`` this is, if it is to be given complete responses."""
    if type(send) is MethodType:
        stage = send.__self__
        if isinstance(stage, Stage) and stage.is_whole:
            return stage
    return None


def is_followed(send: Any) -> None:
    """Tell the stage above that whoever is given this ``send`` may do more once it has answered."""
    while type(send) is MethodType and type(send.__self__) is TrackedSend:
        send = send.__self__.forward
    stage = stage_above(send)
    if stage is not None:
        stage.is_last = False


def hand_through(send: Send, app: Any) -> Send:
    """Return a ``send`` as it is, for whoever has no stage to call the application below with.

    The stage above learns whether somebody there may do more once it has answered. As for
    `hand_down`, whoever calls this does nothing more.
    """
    if not leads_to_answer(app):
        is_followed(send)
    return send


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a complete response: in one call to a stage, in messages to anything else."""
    send = untracked(send)
    stage = stage_above(send)
    if stage is not None:
        answer.is_awaited = answer.is_awaited or not stage.is_last
        await stage.respond(answer)
        return
    if hand_over(send, answer.status, answer.headers, answer.body):
        return
    await send(answer.start())
    if answer.in_pieces:
        for message in answer.pieces():
            await send(message)
    else:
        await send({"type": "http.response.body", "body": answer.body})


def send_response(response: Any, send: Send) -> Coroutine[Any, Any, None]:
    """Do what Starlette's own ``Response.__call__`` does over HTTP, its background included.

    To be awaited at once.
    """
    return send_parts(response, response.status_code, response.raw_headers, untracked(send))


async def send_parts(response: Any, status: int, headers: Any, send: Send) -> None:
    """The same with what was read of the response, and a ``send`` that is `untracked`."""
    stage = stage_above(send)
    if stage is not None:
        body = getattr(response, "body", None)
        if body is not None:
            # What cannot be read raises below, when Starlette would read it.
            is_awaited = getattr(response, "background", send) is not None or not stage.is_last
            source = None if is_awaited else response
            await stage.respond(Answer(status, headers, body, False, is_awaited, source))
            if is_awaited and response.background is not None:
                await response.background()
            return
    if not hand_over(send, status, headers, response.__dict__.get("body")):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        # Read now, for whoever was sent the start may have changed it.
        await send({"type": "http.response.body", "body": response.body})
    if response.background is not None:
        await response.background()
