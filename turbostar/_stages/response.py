"""The response that ``call_next`` returns, and how the middleware sends it on.

It is made of what the application below has left in the channel. Where ``dispatch`` has looked at
no more than its status and headers, it goes up whole; else it streams its body as on Starlette.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from starlette.middleware.base import _StreamingResponse

from turbostar._http.own_send import hand_over, responds
from turbostar._http.tracked_send import stage_above, untracked
from turbostar._stages.channel import UNTAKEN, Channel
from turbostar._stages.due import take_turns, turns_due
from turbostar._stages.group import Group
from turbostar._stages.protocol import Answer

__all__ = ["Handed"]

_new: Any = object.__new__


class Handed(Channel, Group):
    """What was handed up to one BaseHTTPMiddleware, as the response that ``dispatch`` gets.

    Attributes:
        body: the ``body_iterator`` of the response that was made last; it holds this object.
        is_body_begun: whether anybody has asked for any of it.
        is_body_spent: whether it was sent on, and nothing of it is left.
        is_just_taken: whether it was sent on before, on Starlette, the application has heard that
            the last of it was taken.
    """

    body: Any = None
    is_body_begun = False
    is_body_spent = False
    is_just_taken = False

    def make_response(self, status: int, headers: Any, info: Any) -> _StreamingResponse:
        """Make the response that ``call_next`` returns; its body is still to be taken."""
        response: _StreamingResponse = _new(_StreamingResponse)
        body: Any = self.body_stream()
        self.body = body
        self.is_body_begun = False
        response.info = info
        response.body_iterator = body
        response.status_code = status
        response.media_type = None
        response.raw_headers = headers
        response.background = None
        return response

    async def body_stream(self) -> AsyncGenerator[Any, None]:
        """The body of the response, as in its ``body_iterator``."""
        if self.is_body_spent:
            return
        self.is_body_begun = True
        while (message := await self.take()) is not None:
            if message["type"] == "http.response.pathsend":
                yield message
                break
            assert message["type"] == "http.response.body", f"Unexpected message: {message}"
            body = message.get("body", b"")
            if body:
                yield body
            if not message.get("more_body", False):
                break

    def untouched(self, response: Any) -> Answer | None:
        """Return what is to be sent where a response is what `call_next` made, complete.

        Only its status and headers may have been changed, and a background task added; nobody has
        asked for any of its body.
        """
        answer = self.answer
        if (
            answer is None
            or self.body_left is not UNTAKEN
            or type(response) is not _StreamingResponse
            or self.is_body_begun
            or self.body.ag_frame is None  # closed
            or self.body is not response.body_iterator
            or response.info is not None
        ):
            return None
        self.is_body_begun = self.is_body_spent = True
        answer.status, answer.headers = response.status_code, response.raw_headers
        answer.in_pieces = True
        answer.is_awaited = bool(self.running) or response.background is not None
        return answer

    async def send_on(self, answer: Answer) -> None:
        """Send what was `untouched`, in the turns of the loop in which a stream would be sent."""
        send = untracked(self.forward)
        stage = stage_above(send)
        if stage is not None:
            answer.is_awaited = answer.is_awaited or not stage.is_last
            if not answer.is_awaited:  # it is for those above to see what becomes of it
                answer.source, self.source = self.source, None
                answer.answerer = self.answerer
            await stage.respond(answer)
            return
        if (
            responds
            and not turns_due(self.loop, self.queues)
            and not self.host._must_cancel
            and hand_over(send, answer.status, answer.headers, answer.body)
        ):
            return
        await send(answer.start())
        is_to_be_taken = True
        for message in answer.pieces():
            if is_to_be_taken and (
                turns := turns_due(self.loop, self.queues) or self.host._must_cancel
            ):
                await take_turns(turns)  # as it does on Starlette: who was cancelled ends here
            await send(message)
            is_to_be_taken = self.is_of_pieces
        self.is_just_taken = bool(answer.body) or not self.is_of_pieces
