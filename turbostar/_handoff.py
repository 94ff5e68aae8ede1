"""An ASGI application in a task of its own, whose messages another task takes one by one.

What Starlette's BaseHTTPMiddleware does for each request with a task group and a memory stream, for
the requests that cannot be answered in one task: the application below sends for itself, or may
outlive the call that started it. The task starts eagerly where Python can (3.12), and the messages
pass through one slot, as in a stream that buffers nothing. On asyncio only.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator
from typing import Any

from anyio import CancelScope
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Handoff"]

_EAGER = sys.version_info >= (3, 12)
# As the task of stock is called, for whoever looks at tasks.
_NAME = "starlette.middleware.base.BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.coro"
_PATHSEND = "http.response.pathsend"

# So many tasks may be started eagerly one within the other: each has the others' frames above it.
_MAX_NESTED = 10

Waiters = list[asyncio.Future[None]]


class _Nested(threading.local):
    tasks = 0


_nested = _Nested()


class Handoff:
    """The task of an application, and the message that it is handing over.

    Attributes:
        error: what the application raised, once its task has ended.
        is_raised: whether somebody was told of that.
        fatal: what is no Exception and ended the application, as a KeyboardInterrupt.
        is_broken: whether it was ended for a message that cannot follow the one before.
        is_stray: whether a cancellation ended the application that was none of ours.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.is_raised = False
        self.fatal: BaseException | None = None
        self.is_stray = False
        self.is_broken = False
        self._closed = False  # nobody will take another message
        self._ended = False
        self._expected = False  # the next message need not wait to be taken
        self._message: Message | None = None
        self._readers: Waiters = []
        self._writers: Waiters = []
        self._finals: Waiters = []
        self._followers: Waiters = []
        self._cancel_scope = CancelScope()
        self._loop = asyncio.get_running_loop()

    def start(self, app: ASGIApp, scope: Scope, receive: Receive, *, eager: bool) -> None:
        """Start the application; its first message is expected already.

        Args:
            app: the application.
            scope: of the request.
            receive: likewise.
            eager: whether it may begin at once, on top of the caller's stack.
        """
        self._expected = True
        loop = self._loop
        coroutine = self._run(app, scope, receive)
        eager = eager and _EAGER and _nested.tasks < _MAX_NESTED
        if eager and loop.get_task_factory() is None:
            _nested.tasks += 1
            try:
                task = asyncio.Task(coroutine, loop=loop, name=_NAME, eager_start=True)  # type: ignore[call-arg,unused-ignore]
            finally:
                _nested.tasks -= 1
        else:
            task = loop.create_task(coroutine, name=_NAME)
        self._task = task  # the loop keeps but a weak reference

    async def _run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        try:
            with self._cancel_scope:
                try:
                    await app(scope, receive, self._send)
                except Exception as exc:
                    self.error = exc
                except asyncio.CancelledError:
                    self.is_stray = not self._cancel_scope.cancel_called
                    raise
                except BaseException as exc:
                    self.fatal = exc
                    if isinstance(exc, KeyboardInterrupt | SystemExit):
                        raise  # asyncio ends its loop by these
        finally:
            self._ended = True
            if self._readers:
                _wake(self._readers)
            if self._followers:
                _wake(self._followers)

    def _turn(self, waiters: Waiters) -> asyncio.Future[None]:
        future = self._loop.create_future()
        waiters.append(future)
        return future

    async def _send(self, message: Message) -> None:
        while self._message is not None and not self._closed:
            await self._turn(self._writers)  # another task of the application's is first
        if self._closed:
            await asyncio.sleep(0)  # whoever sends without end shall hear of its cancellation
            return
        self._message = message
        if self._expected:
            self._expected = False
            if self._readers:
                _wake(self._readers)
        else:
            while self._message is message and not self._closed:
                await self._turn(self._writers)
            if self._message is message:
                return
        kind = message["type"]
        if kind == _PATHSEND or (
            kind == "http.response.body" and not message.get("more_body", False)
        ):
            # What the application does after its response waits until that has been sent.
            while not self._closed:
                await self._turn(self._finals)

    async def take(self) -> Message | None:
        """Take the next message; None when the application has ended."""
        while self._message is None and not self._ended:
            self._expected = True
            try:
                await self._turn(self._readers)
            finally:
                self._expected = False
        message, self._message = self._message, None
        if self._writers:
            _wake(self._writers)
        return message

    async def body(self) -> AsyncGenerator[Any, None]:
        """The chunks of the body, as in ``body_iterator`` of what ``call_next`` returns."""
        while (message := await self.take()) is not None:
            if message["type"] == _PATHSEND:
                yield message
                break
            assert message["type"] == "http.response.body", f"Unexpected message: {message}"
            body = message.get("body", b"")
            if body:
                yield body
            if not message.get("more_body", False):
                break

    async def forward(self, send: Send, *, is_last: bool) -> None:
        """Send the body on, as a response would that iterates over it.

        Args:
            is_last: whether no other middleware stands between the application and `send`: one that
                does ends the body in good order before it raises.
        """
        while (message := await self.take()) is not None:
            kind = message["type"]
            if kind == _PATHSEND:
                await send(message)
                return
            if kind != "http.response.body":
                error = AssertionError(f"Unexpected message: {message}")
                if is_last:
                    raise error
                error.__cause__ = None  # as raised from None
                await self.abort()
                self.error, self.is_broken = error, True
                break
            body = message.get("body", b"")
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            if not message.get("more_body", False):
                break
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        """Say that the response has been sent: the application may finish, unheard."""
        self._closed = True
        if self._writers:
            _wake(self._writers)
        if self._finals:
            _wake(self._finals)

    async def wait(self) -> None:
        """Wait for the application to end."""
        while not self._ended:
            await self._turn(self._followers)
        if self.fatal is not None:
            raise self.fatal

    async def abort(self) -> None:
        """Cancel the application and wait for it to end, however often we are cancelled."""
        self._cancel_scope.cancel()
        cancelled = None
        while not self._ended:
            try:
                await self._turn(self._followers)
            except asyncio.CancelledError as exc:
                cancelled = exc
        if cancelled is not None:
            raise cancelled


# Tracers name their spans after the function that sends: after Starlette's.
Handoff._send.__name__ = "send_no_error"
Handoff._send.__qualname__ = "BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.send_no_error"


def _wake(waiters: Waiters) -> None:
    for future in waiters:
        if not future.done():
            future.set_result(None)
    waiters.clear()
