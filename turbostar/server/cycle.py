"""One request and its response: what an application is called with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

from turbostar._http.own_send import register
from turbostar.server.heads import END, LINES, USUAL, LengthLine, head, plain_line
from turbostar.server.incoming import Incoming

if TYPE_CHECKING:
    from turbostar.server.protocol import HttpProtocol

__all__ = ["RequestResponseCycle"]

# A body up to this size is copied behind its head, for one write; a larger one costs less apart.
_JOINED = 32768
_SERVER_ERROR = (
    {
        "type": "http.response.start",
        "status": 500,
        "headers": [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"21"),
            (b"connection", b"close"),
        ],
    },
    {"type": "http.response.body", "body": b"Internal Server Error"},
)


class RequestResponseCycle(Incoming):
    """A request, as far as it has come, and its response, as far as it was sent.

    Args:
        connection: the one that the request has come through.
        scope: of the request.
        keep_alive: whether the connection may stay open after the response.
        waiting_for_100_continue: whether the client waits for word before it sends the body.

    Attributes:
        response_started: whether the first message was sent.
        held: the lines of the head, if they wait for the body to be sent with it.
        is_beginning: whether the application runs on top of the connection, which looks after the
            head that is held.
    """

    __slots__ = (
        "_is_chunked",
        "_is_head",
        "_is_silent",
        "_is_special",
        "_left",
        "_may_chunk",
        "held",
        "is_beginning",
        "keep_alive",
        "response_started",
        "scope",
    )

    def __init__(
        self,
        connection: HttpProtocol,
        scope: dict[str, Any],
        keep_alive: bool,
        waiting_for_100_continue: bool,
    ) -> None:
        self.connection = connection
        self.scope = scope
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = waiting_for_100_continue
        self.disconnected = self.response_started = self.response_complete = False
        self.is_woken = self.is_beginning = False
        self.more_body = True
        self.body = b""
        self.event = None
        self.held: list[bytes] | None = None
        self._left: int | None = 0  # bytes of body that the head has announced; None if it has not
        self._is_head = scope["method"] == "HEAD"
        self._may_chunk = scope["http_version"] not in ("1.0", "0.9")
        # Silent is a response without a body, whatever is sent; special one of either kind.
        self._is_chunked = self._is_silent = self._is_special = False

    async def run_asgi(self, app: Any) -> None:
        """Call the application, and see to it that there is an answer."""
        try:
            result = await app(self.scope, self.receive, self.send)
        except BaseException as exc:
            self.connection.logger.error("Exception in ASGI application\n", exc_info=exc)
            await self._fail()
        else:
            if result is not None or not self.response_complete:
                await self._end(result)
        finally:
            connection = self.connection
            if connection.cycle is self and not self.more_body:
                connection.cycle = None
            if connection.answering is self:
                connection.answering = None

    async def _end(self, result: Any) -> None:
        """What the application has left undone when it returned."""
        logger = self.connection.logger
        if result is not None:
            logger.error("ASGI callable should return None, but returned '%s'.", result)
            self.abort()
        elif self.disconnected:
            return
        elif not self.response_started:
            logger.error("ASGI callable returned without starting response.")
            await self._fail()
        else:
            logger.error("ASGI callable returned without completing response.")
            self.abort()

    async def _fail(self) -> None:
        if self.response_started:
            self.abort()
            return
        for message in _SERVER_ERROR:
            await self.send(message)

    def abort(self) -> None:
        """End the connection, and with it a response that is not complete."""
        self.flush()
        self.connection.close()

    async def send(self, message: Any) -> None:
        """Take a message of the application, as of ASGI."""
        connection = self.connection
        if connection.write_paused and not self.disconnected:
            await connection.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if not self.response_started:
            if kind != "http.response.start":
                raise RuntimeError(
                    f"Expected ASGI message 'http.response.start', but got '{kind}'."
                )
            self.response_started = True
            status, headers = message["status"], list(message.get("headers", ()))
            if connection.access_log:
                self._log(status)
            self.held = self._usual_head(status, headers) or self._unusual_head(status, headers)
            if not self.is_beginning and self.held is not None:
                asyncio.get_running_loop().call_soon(self.flush)
        elif self.response_complete:
            raise RuntimeError(
                f"Unexpected ASGI message '{kind}' sent, after response already completed."
            )
        elif kind != "http.response.body":
            raise RuntimeError(f"Expected ASGI message 'http.response.body', but got '{kind}'.")
        else:
            body, more_body = message.get("body", b""), message.get("more_body", False)
            lines, left = self.held, self._left
            if self._is_special or left is None or not 0 < len(body) <= left:
                self._send_body(body, more_body)
            elif more_body and lines is None:
                # A piece of a large body.
                self._left = left - len(body)
                connection.transport.write(body)
            elif more_body or lines is None or left > _JOINED or len(body) != left:
                self._send_body(body, more_body)
            else:
                # What nearly every response comes to.
                data = b"".join((*lines, body))
                self.held, self._left = None, 0
                connection.transport.write(data)
                self.complete()

    def complete(self) -> None:
        """The response is complete."""
        self.response_complete = self.is_woken = True
        if self.event is not None:
            self.event.set()
        self.connection.on_response_complete(self)

    def _usual_head(self, status: int, headers: list[Any]) -> list[bytes] | None:
        """The head of a response with a length and no say about the connection; None of others.

        Its lines have been checked when they were first sent.
        """
        connection = self.connection
        serving, defaults = connection.serving, connection.server_state.default_headers
        if defaults != serving.default_headers:
            serving.learn_defaults(defaults)
        first = USUAL.get(status)
        if (
            first is None
            or not self.keep_alive
            or self._is_head
            or self.waiting_for_100_continue
            or serving.default_lines is None
        ):
            return None
        length: int | None = None
        lines = [first, serving.default_lines]
        for header in headers:
            try:
                line = LINES.get(header) or plain_line(header)
            except TypeError:  # a list, say
                line = plain_line(header)
            if line is None:
                return None
            if type(line) is LengthLine:
                if length is not None:
                    return None
                length = line.size
            lines.append(line)
        if length is None:
            return None
        self._left = length
        lines.append(END)
        return lines

    @property
    def transport(self) -> Any:
        """The connection's transport, where people look for it on uvicorn."""
        return self.connection.transport

    def _unusual_head(self, status: int, headers: list[Any]) -> list[bytes] | None:
        """The head of any response; None if it was sent already.

        Raises:
            KeyError: there is no such status code.
            RuntimeError: a header is wrong.
        """
        connection = self.connection
        # Who waits for word may send the body now, or the next request: nobody could tell.
        is_unclear = self.waiting_for_100_continue and self.more_body
        found = head(
            status,
            [*connection.server_state.default_headers, *headers],
            has_body=not self._is_head,
            may_chunk=self._may_chunk,
            closes=is_unclear or not self.keep_alive,
        )
        self.waiting_for_100_continue = False
        self.keep_alive = not found.closes
        self._left = found.length
        self._is_chunked = found.is_chunked and not self._is_head
        self._is_silent = found.is_bodiless or self._is_head
        self._is_special = self._is_chunked or self._is_silent
        if found.is_urgent:
            connection.transport.write(found.data)
            return None
        return [found.data]

    def _log(self, status: int) -> None:
        scope: Any = self.scope
        self.connection.access_logger.info(
            '%s - "%s %s HTTP/%s" %d',
            get_client_addr(scope),
            scope["method"],
            get_path_with_query_string(scope),
            scope["http_version"],
            status,
        )

    def flush(self) -> None:
        """Send the head now, if it has waited for the body."""
        if self.held is not None:
            lines, self.held = self.held, None
            if not self.disconnected:
                self.connection.transport.write(b"".join(lines))

    def _send_body(self, body: Any, more_body: bool) -> None:
        if self._is_chunked:
            self._write_chunk(body, more_body)
        else:
            self._write_counted(body)
        if more_body:
            return
        if self._left and not self._is_silent:
            raise RuntimeError("Response content shorter than Content-Length")
        self.complete()

    def _write_chunk(self, body: Any, more_body: bool) -> None:
        pieces = [] if self.held is None else [*self.held]
        if body:
            pieces += (b"%x\r\n" % len(body), body, END)
        if not more_body:
            pieces.append(b"0\r\n\r\n")
        data = b"".join(pieces)
        self.held = None
        if data:
            self.connection.transport.write(data)

    def _write_counted(self, body: Any) -> None:
        if self._is_head:
            self.flush()  # whatever the body is
            return
        size = len(body)
        if self._left is not None:
            if size > self._left:
                raise RuntimeError("Response content longer than Content-Length")
            self._left -= size
        if self._is_silent or not size:
            self.flush()
        elif self.held is None:
            self.connection.transport.write(body)
        elif size <= _JOINED:
            data = b"".join((*self.held, body))
            self.held = None
            self.connection.transport.write(data)
        else:
            self.flush()
            self.connection.transport.write(body)

    def respond(self, status: int, headers: Any, body: Any) -> bool:
        """Send a whole response, as the two messages would, in one call.

        Returns False, and has done nothing, for what is not usual: the messages are to be sent.
        """
        connection = self.connection
        if (
            self.response_started
            or self.disconnected
            or connection.write_paused
            or type(body) is not bytes
            or type(headers) is not list
            or len(body) > _JOINED
        ):
            return False
        lines = self._usual_head(status, headers)
        if lines is None or self._left != len(body):
            return False
        if connection.access_log:
            self._log(status)
        self.response_started = True
        self._left = 0
        lines.append(body)
        connection.transport.write(b"".join(lines))
        self.complete()
        return True


# Tracers name spans after it, as that of uvicorn is called.
RequestResponseCycle.receive.__qualname__ = "RequestResponseCycle.receive"
register(RequestResponseCycle.send, RequestResponseCycle.respond, RequestResponseCycle.receive)
