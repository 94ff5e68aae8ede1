"""What an application hands to the ``call_next`` that runs it: message by message, or at once.

Starlette has a memory stream here that buffers nothing: who sends a message waits until it is
taken, and either side takes a turn of the event loop first. So it is here, with two things more.

A complete response may be left in the channel, to be taken in one go by whoever sends it on, or as
its messages by anybody else.

And a turn is left out where nothing at all is due in the loop, so that nobody could tell. Not where
even the other side is: what that does next might be due in another order, or at another time. And a
task that stands upon another, which goes on when it waits, takes all its turns.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future, current_task, sleep
from collections.abc import Sequence
from typing import Any

from anyio import BrokenResourceError, ClosedResourceError
from starlette.types import Message, Send

from turbostar._stages.due import Queues, callbacks_due
from turbostar._stages.protocol import Answer, Stage
from turbostar._stages.tasks import begun_upon_others

__all__ = ["UNTAKEN", "Channel"]

#: What is left of an answer of which only the start was taken.
UNTAKEN: list[Message] = []

_PATHSEND = "http.response.pathsend"


class Channel(Stage):
    """The messages of one request, on their way up to one BaseHTTPMiddleware.

    Attributes:
        forward: the ``send`` that the middleware was called with.
        is_sent: whether the middleware has sent its response: nothing is taken any more.
        late_by: how many turns of the loop later who waits for that is to hear of it.
        has_ended: whether the application has ended without leaving an answer behind.
        was_awaited: whether somebody waited for a message when it ended so.
        has_others: whether several applications send here, by turns.
        answer: the complete response that was left here.
        is_of_pieces: whether that was to be sent in pieces: then its end is a message to be taken.
        answerer: the task that has left it.
        is_answer_awaited: whether who waited for it is about to go on.
        source: the object it was made of, if that had no background task then.
        body_left: the messages of its body, the next one last, once its start was taken.
        queues: what the loop has to do, where it is one of uvloop's; see `queues_of`.
    """

    # Of the class, which makes an instance cheaper to build.
    is_whole = True
    is_sent = False
    late_by = 0
    has_ended = False
    was_awaited = False
    has_others = False
    answer: Answer | None = None
    is_of_pieces = False
    is_answer_awaited = False
    answerer: Any = None
    body_left: list[Message] | None = None
    source: Any = None
    queues: Queues | None = None
    _offered: Sequence[tuple[Message, Future[None]]] = ()
    _takers: Sequence[Future[Message | None]] = ()
    _followers: Sequence[Future[None]] = ()

    def __init__(self, send: Send, loop: AbstractEventLoop) -> None:
        self.forward = send
        self.loop = loop

    async def send(self, message: Message) -> None:
        """The ``send`` of the application: it returns when the message has been taken."""
        try:
            await self._offer(message)
        except BrokenResourceError:
            return  # the response has been sent, and nobody listens any more
        kind = message["type"]
        if kind == _PATHSEND or (
            kind == "http.response.body" and not message.get("more_body", False)
        ):
            # What the application does after its response waits until that has been sent.
            await self.sent()

    async def respond(self, answer: Answer) -> None:
        """Leave a complete response; return when it has been sent if that is awaited."""
        if self.has_others or self.is_sent or self.answer is not None:
            await super().respond(answer)
            return
        task: Any = current_task()
        if task._must_cancel:
            await sleep(0)  # cancelled before it answers: it is told where it would send
        self.answer = answer
        if answer.in_pieces:
            self.is_of_pieces = True
        self.source, answer.source = answer.source, None
        self.answerer, answer.answerer = answer.answerer or task, None
        if self._takers:
            taker = self._next_taker()
            if taker is not None:
                self.body_left = UNTAKEN
                self.is_answer_awaited = True
                taker.set_result(answer.start())
        if answer.is_awaited:
            await self.sent()

    async def _offer(self, message: Message) -> None:
        # Where nobody listens the turn is taken, for else who sends on and on would stop the loop.
        if self.is_sent or self.has_ended or not self._is_turn_empty():
            await sleep(0)
        if self.has_ended:
            raise ClosedResourceError
        if self.is_sent:
            raise BrokenResourceError
        taker = self._next_taker()
        if taker is not None:
            taker.set_result(message)
            return
        offer = message, self.loop.create_future()
        self._offered = [*self._offered, offer]
        try:
            await offer[1]
        finally:
            is_left = offer in self._offered
            self._offered = [other for other in self._offered if other is not offer]
        if is_left:
            raise BrokenResourceError

    def _is_turn_empty(self) -> bool:
        """Whether a turn of the loop would bring nothing to anybody.

        Not to the current task either, which may have been cancelled, nor to one that it stands
        upon, nor where several applications send here.
        """
        task: Any = current_task()
        return not (
            self.has_others
            or task is None
            or task._must_cancel
            or begun_upon_others
            or callbacks_due(self.loop, self.queues)
        )

    async def take(self) -> Message | None:
        """Take the next message; None if none will come."""
        if not self._is_turn_empty():
            await sleep(0)
        return await self.take_at_once()

    async def take_at_once(self) -> Message | None:
        """The same without the turn of the loop that comes first."""
        message = self._next_message()
        if message is not None or self.has_ended:
            return message
        taker: Future[Message | None] = self.loop.create_future()
        self._takers = [*self._takers, taker]
        try:
            message = await taker
        finally:
            self._takers = [other for other in self._takers if other is not taker]
            self.is_answer_awaited = False
        self.was_awaited = message is None
        return message

    def _next_message(self) -> Message | None:
        answer = self.answer
        if answer is not None and not self.body_left:
            if self.body_left is None:
                self.body_left = UNTAKEN
                return answer.start()
            if self.body_left is UNTAKEN:
                self.body_left = answer.pieces()[::-1]
        if self.body_left:
            return self.body_left.pop()
        if self._offered:
            (offered, taken), *self._offered = self._offered
            if not taken.done():
                taken.set_result(None)
            return offered
        return None

    def _next_taker(self) -> Future[Message | None] | None:
        while self._takers:
            taker, *self._takers = self._takers
            if not taker.done():
                return taker
        return None

    def end(self) -> None:
        """The application has ended; an answer that it has left can still be taken."""
        if self.answer is None:
            self.has_ended = True
            while (taker := self._next_taker()) is not None:
                taker.set_result(None)

    async def sent(self) -> None:
        """Wait until the response has been sent."""
        if self.is_sent:
            if not self._is_turn_empty():
                await sleep(0)
            return
        follower: Future[None] = self.loop.create_future()
        self._followers = [*self._followers, follower]
        await follower

    def release(self) -> None:
        """Let nobody wait any longer for a message to be taken, for nothing will be."""
        for _, taken in self._offered:
            if not taken.done():
                taken.set_result(None)

    def close(self) -> None:
        """Say that the response has been sent: the application may finish, unheard."""
        self.is_sent = True
        self._wake(self.late_by)
        if self._offered:
            self.release()
        while self._takers and (taker := self._next_taker()) is not None:
            taker.set_exception(ClosedResourceError())

    def _wake(self, late_by: int) -> None:
        if late_by:
            self.loop.call_soon(self._wake, late_by - 1)
            return
        for follower in self._followers:
            if not follower.done():
                follower.set_result(None)
