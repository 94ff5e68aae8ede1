"""Stages: middleware through which a response goes up whole, in place of message by message.

On the way down each middleware calls the application below it with a ``send`` of its own. Where
that is the method of a `Stage`, whoever has a complete response may hand it over in one call of
`Stage.respond`; any other ``send`` gets the messages that ASGI knows. So a middleware of somebody
else's that wraps ``send``, or replaces it, is served as on Starlette, without being asked.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from starlette.types import Message, Send

__all__ = ["Answer", "Stage", "hand_down", "leads_to_answer", "register"]


class Answer:
    """A response that is complete, and not sent.

    Attributes:
        status: the status code.
        headers: names and values, the names in lower case; the list is the receiver's to change.
        body: the whole of it.
        in_pieces: whether it is sent as a stream is: the body, if there is any, and then its end in
            a message of its own. Otherwise in one message.
        is_awaited: whether something follows when it has been sent, such as a background task.
        source: the response it was made of, where somebody may give that a background task yet.
        answerer: the task that has made it, where that is not the one that hands it over.
    """

    __slots__ = ("answerer", "body", "headers", "in_pieces", "is_awaited", "source", "status")

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: Any,
        in_pieces: bool = False,
        is_awaited: bool = False,
        source: Any = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.in_pieces = in_pieces
        self.is_awaited = is_awaited
        self.source = source
        self.answerer: Any = None

    def start(self) -> Message:
        """The message that starts it."""
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}

    def pieces(self) -> list[Message]:
        """The messages of its body."""
        body = self.body
        if not self.in_pieces:
            return [{"type": "http.response.body", "body": body}]
        end = {"type": "http.response.body", "body": b"", "more_body": False}
        if not body:
            return [end]
        return [{"type": "http.response.body", "body": body, "more_body": True}, end]


class Stage:
    """What a middleware knows of one request; its bound `send` is what the application below gets.

    Args:
        send: the one that the middleware was called with.

    Attributes:
        forward: that ``send``.
        is_whole: whether a complete response goes up to a BaseHTTPMiddleware from here. Otherwise
            its messages are as good.
        is_last: whether nobody, from whoever answers up to this stage, does anything more once
            the response was handed over; see `leads_to_answer`.
    """

    is_last = False
    is_whole = False

    def __init__(self, send: Send) -> None:
        self.forward = send

    async def send(self, message: Message) -> None:
        """Take one message from below."""
        await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        """Take a complete response from below; unless overridden, as its messages.

        Returns when it has been taken, or, if it `is_awaited`, when it has been sent.
        """
        await self.send(answer.start())
        for message in answer.pieces():
            await self.send(message)


_CALLS: set[Any] = set()


def register(call: Any) -> None:
    """Say that a ``__call__`` does nothing more once a response was handed to its ``send``."""
    _CALLS.add(call)


def leads_to_answer(app: Any) -> bool:
    """Whether the application is one of a class whose ``__call__`` was registered.

    Whoever else stands between might do something after its call of what is below has returned,
    which on Starlette is when the response was sent.
    """
    call = type(app).__call__
    # A wrapper of wrapt's would be found as well, for it equals what it wraps.
    return type(call) is FunctionType and call in _CALLS


def hand_down(stage: Stage, app: Any) -> Send:
    """Return the ``send`` of a stage, for it to call the application below with.

    To be used by whoever does nothing more once that call has returned.
    """
    above = getattr(stage.forward, "__self__", None)
    if isinstance(above, Stage) and above.is_whole:
        stage.is_whole = True
        stage.is_last = above.is_last and leads_to_answer(app)
    return stage.send
