"""What has come of a request's body, and the application that waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from turbostar.server.flow import HIGH_WATER

if TYPE_CHECKING:
    from turbostar.server.protocol import HttpProtocol

__all__ = ["Incoming"]


class Incoming:
    """The part of a request and its response that receives.

    Attributes:
        connection: the one that the request has come through.
        waiting_for_100_continue: whether the client waits for word before it sends the body.
        disconnected: whether the client has gone, or nothing more is to be sent to it.
        response_complete: whether the last part of the response was sent.
        body: what has come of the body and the application has not taken yet.
        more_body: whether there is more to come.
        is_woken: whether something has come since the application last asked.
        event: by which it waits; made when it has to.
    """

    __slots__ = (
        "body",
        "connection",
        "disconnected",
        "event",
        "is_woken",
        "more_body",
        "response_complete",
        "waiting_for_100_continue",
    )

    connection: HttpProtocol
    disconnected: bool
    response_complete: bool
    body: bytes | bytearray
    more_body: bool
    is_woken: bool
    event: asyncio.Event | None
    waiting_for_100_continue: bool

    def take_body(self, chunk: bytes) -> None:
        """A part of the body has come."""
        body = self.body
        if not body:
            self.body = chunk
        elif type(body) is bytearray:
            body += chunk
        else:
            self.body = bytearray(body)
            self.body += chunk
        if len(self.body) > HIGH_WATER:
            self.connection.pause_reading()
        self.wake()

    def wake(self) -> None:
        """Tell whoever waits in `receive` that there is something new."""
        self.is_woken = True
        if self.event is not None:
            self.event.set()

    def disconnect(self) -> None:
        """The client has gone."""
        if not self.response_complete:
            self.disconnected = True
        self.wake()

    async def receive(self) -> Any:
        """The next message for the application, as of ASGI."""
        connection = self.connection
        if self.waiting_for_100_continue and not connection.transport.is_closing():
            connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            connection.resume_reading()
            if not self.is_woken:
                if self.event is None:
                    self.event = asyncio.Event()
                await self.event.wait()
            self.is_woken = False
            if self.event is not None:
                self.event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        return {"type": "http.request", "body": bytes(body), "more_body": self.more_body}
