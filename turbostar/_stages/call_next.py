"""``call_next``: the application below a BaseHTTPMiddleware, in a task of its own for each call.

A call goes through these states:

- *running*: the task was started, at once where it may be, and has handed over nothing yet;
- *answered*: it has left a response in the channel, or offers the messages of one;
- *sent*: the middleware has sent its own response. What the application does from here on, such as
  its background tasks, it does in its task, with its context, and nobody hears its messages;
- *ended*. The middleware ends after all of its calls have.

An application that has left a complete response, with nothing to do after it, has ended before
``call_next`` returns: the usual case, which costs a task and no turn of the event loop. All others
are as on Starlette, and by the same means: the tasks belong to a cancel scope of anyio's around
``dispatch``, which is entered when it is first needed. If that is given up (by an exception, by
being cancelled) the scope is cancelled, and with it all calls, again and again until they have
ended.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task, get_running_loop, sleep
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import MethodType
from typing import Any, NoReturn

import starlette.middleware.base as _base
from anyio import CancelScope, ClosedResourceError, EndOfStream
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turbostar._http.tracked_send import TrackedSend
from turbostar._stages.channel import UNTAKEN, Channel
from turbostar._stages.due import is_due_since, newest_due, queues_of, take_turns, turns_due
from turbostar._stages.group import Group
from turbostar._stages.protocol import Stage, leads_to_answer
from turbostar._stages.response import Handed
from turbostar._stages.scopes import is_started_below, join, join_late, leave, start_below
from turbostar._stages.tasks import (
    EagerTask,
    end_loop_soon,
    may_start_eagerly,
    nested,
    start_task,
)

__all__ = ["Calls"]

#: As the task is called on Starlette, for whoever looks at tasks.
_NAME = "starlette.middleware.base.BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.coro"

_FORWARDING = (Stage, TrackedSend)


class Calls(Handed):
    """The calls of ``call_next`` for one request in one BaseHTTPMiddleware.

    Args:
        middleware: whose ``app`` is called.
        request: what ``dispatch`` gets; the body that it has read is read again below.
        scope: of the request.
        send: the one that the middleware was called with.

    Attributes:
        error: what the application has raised last.
        is_raised: whether ``call_next`` has raised it.
        due_before: what was last to be due in the loop when the request came.
    """

    due_before: Any = None
    error: Exception | None = None
    is_raised = False
    _is_called = False
    _has_run = False
    _receiving: set[CancelScope] | None = None

    def __init__(self, middleware: Any, request: Any, scope: Scope, send: Send) -> None:
        self.forward = send
        self.loop = loop = get_running_loop()
        self.queues = queues_of(loop)
        self.middleware = middleware
        self.request = request
        self.scope = scope

    def begin(self, host: Any) -> None:
        Group.begin(self, host)
        above = _above(self.forward)
        if above is not None:
            self.due_before = above.due_before
        elif is_started_below(host):
            self.due_before = object()  # somebody's task above may have scheduled something
        else:
            self.due_before = newest_due(self.loop, self.queues)

    def call_next(self) -> Callable[[Any], Awaitable[Any]]:
        """Return the ``call_next`` that ``dispatch`` gets: a function, as on Starlette.

        It runs the application below and returns its response; the request that it is given makes
        no difference. It raises RuntimeError if dispatch has ended already or there was no
        response, and what the application has raised before its response began.
        """

        async def call_next(request: Any) -> Any:
            if self.is_over:
                raise RuntimeError("This task group is not active; no new tasks can be started.")
            loop: Any = self.loop
            app = self.middleware.app
            self.is_last = leads_to_answer(app)
            if self._is_called:
                self.has_others = True
            self._is_called = True
            # At once, but not before what `dispatch` has scheduled, or one above it, such as a
            # timeout that is over.
            upon = nested()
            if (
                self.has_others
                or self.is_sent
                or is_due_since(loop, self.queues, self.due_before)
                or not may_start_eagerly(loop, upon.tasks)
            ):
                task = await self._start(app)
            else:
                # Not in a function of its own: a frame more for each layer upon which others begin.
                try:
                    upon.tasks += 1
                    try:
                        task = EagerTask(self._run(app), loop=loop, name=_NAME, eager_start=True)
                    finally:
                        upon.tasks -= 1
                except (KeyboardInterrupt, SystemExit) as exc:
                    self._fatal = [*self._fatal, exc]
                    task = None
                    await end_loop_soon(exc, loop)
                    self.hear_late()
                if task is not None and not self._has_run:
                    self._join_late(task)
                    self.watch(task)
            # One that was cancelled by itself cancels the scope soon: what it raised comes first.
            if (turns := self._turns_missed()) and not (task and task.cancelled()):
                await take_turns(turns)
            answer = self.answer
            if answer is not None and self.body_left is None and not self.has_others:
                self.body_left = UNTAKEN
                return self.make_response(answer.status, answer.headers, None)
            start, info = await self._first()
            return self.make_response(start["status"], start.get("headers", []), info)

        call_next.__qualname__ = _CALL_NEXT
        call_next.__module__ = _base.__name__
        return call_next

    async def _start(self, app: Any) -> Any:
        """Start the application in the ordinary way: it begins in a turn of the loop's.

        Raises:
            ClosedResourceError: the response was sent: the application runs, but nobody hears it.
        """
        if not self.is_left:
            self.enter_group()
        task = start_task(self.loop, self._run(app), name=_NAME)
        if not self.is_left:
            self.watch(task)
        await sleep(0)
        if self.is_sent:
            raise ClosedResourceError
        return task

    def _turns_missed(self) -> int:
        """How many turns of the loop are to be taken before a response that is there is taken.

        Starlette takes some. Somebody would see that they are missing: a timeout that is over
        already, or who waits for the same thing.
        """
        if self.has_others or (self.answer is None and (not self.has_ended or self.error is None)):
            return 0
        host: Any = current_task()
        return turns_due(self.loop, self.queues) or host._must_cancel

    async def _first(self) -> tuple[Message, Any]:
        """Take the message that starts the response, and what is told of it for debugging."""
        info = None
        message = await self.take_at_once()
        while message is not None:
            kind = message["type"]
            if kind == "http.response.debug":
                info = message["info"]
            elif kind == "http.response.early_hint":
                await self.forward(message)
            else:
                break
            message = await self.take()
        if message is None:
            self._raise_error()
        assert message["type"] == "http.response.start"
        return message, info

    def _join_late(self, task: Any) -> None:
        """Let a task that goes on belong to the group, though it began before there was one."""
        is_first = self.group is None
        group = self.enter_group()
        if is_first and not task.done():
            join_late(group, task)

    async def _run(self, app: Any) -> None:
        task: Any = current_task()
        if self.group is None or self.is_left:
            start_below(self.host, task)
        else:
            join(self.group, task)
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as exc:
            self.error = exc
        finally:
            if self.answer is None:
                self.end()
            leave(task)
        self._has_run = True
        self.end_at_once(task, 1 if self.is_answer_awaited else None)

    def _raise_error(self) -> NoReturn:
        """Raise what kept the application from answering."""
        try:
            # It is the cause of what follows, and says what anyio's stream would.
            if self.was_awaited:
                raise EndOfStream from None
            raise EndOfStream
        except EndOfStream:
            if self.error is None:
                raise RuntimeError("No response returned.")  # noqa: B904 - as it is chained on stock
            self.is_raised = True
            raise self.error from self.error.__cause__ or self.error.__context__

    async def receive(self) -> Message:
        """The ``receive`` of the application: disconnected once the response was sent."""
        if self.is_sent:
            return {"type": "http.disconnect"}
        if self._receiving is None:
            self._receiving = set()
        message: Message = {}
        waited: list[None] = []
        turn = self.loop.call_soon(waited.append, None)
        try:
            with CancelScope() as scope:
                self._receiving.add(scope)
                try:
                    message = await self.request.wrapped_receive()
                finally:
                    self._receiving.discard(scope)
                    turn.cancel()
        except CancelledError:
            with CancelScope(shield=True):
                await self._take_all_turns(2 if waited else 4)
            raise
        except BaseException as exc:
            # What has failed is told even to who is cancelled, as in `Request.is_disconnected()`.
            with suppress(CancelledError):
                await self._take_all_turns(2 if waited else 4)
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", [exc]) from None
        await self._take_all_turns(2 if waited else 4)
        return {"type": "http.disconnect"} if self.is_sent else message

    async def _take_all_turns(self, count: int) -> None:
        """Take as many turns of the loop as Starlette's task group around a ``receive`` does.

        Whoever reads the body above, while something listens for a disconnect here, gets what the
        listener has not taken by then. Who is cancelled meanwhile is told at the end.
        """
        for taken in range(1, count + 1):
            try:
                await sleep(0)
            except CancelledError:
                with CancelScope(shield=True):
                    await self._take_all_turns(count - taken)
                raise

    def close(self) -> None:
        """Say that the response was sent: whoever waits below goes on, and late tasks start."""
        if self.is_just_taken and self._followers:
            # On Starlette it learns first that its last piece was taken: who cancels comes before.
            self.late_by = (
                2 if self.host._must_cancel else int(turns_due(self.loop, self.queues) > 0)
            )
        Channel.close(self)
        if self.source is not None and self.source.background is not None:
            self._start_background(self.source)
        if self._receiving:
            # A turn later, for who was told that its response is sent to end its listeners itself.
            self.loop.call_soon(_cancel_all, self._receiving)

    def _start_background(self, response: Any) -> None:
        """Run a background task that was given to the response after it had been handed over."""
        self.enter_group()
        coroutine = self._run(_in_background(response))
        context = _context_of(self.answerer)
        self.watch(start_task(self.loop, coroutine, name=_NAME, context=context))


def _above(send: Any) -> Calls | None:
    """The calls of the next BaseHTTPMiddleware above, if nobody else's middleware is between."""
    while type(send) is MethodType and isinstance(send.__self__, _FORWARDING):
        if isinstance(send.__self__, Calls):
            return send.__self__
        send = send.__self__.forward
    return None


def _context_of(task: Any) -> Any:
    """The context of a task; None on Python 3.11, where a task does not tell."""
    return task.get_context() if hasattr(task, "get_context") else None


def _in_background(response: Any) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response.background()

    return app


def _cancel_all(scopes: set[CancelScope]) -> None:
    for scope in [*scopes]:
        scope.cancel()


#: What most calls have when their application has waited.
_USUAL = """
    forward loop queues middleware request scope host due_before group running body
    answer answerer source body_left is_last is_sent is_left is_over is_body_begun
    is_body_spent is_answer_awaited _began _cancelling _is_called _has_run _takers _ended
"""


def _keep_within(names: list[str]) -> None:
    """Have CPython keep these attributes within each object.

    It does so for up to 30 that the first object of a class has had. As most requests wait for
    nothing, others would come too late, and need a dictionary for each object, of 0.8 KiB.
    """
    first: Any = object.__new__(Calls)
    for name in names:
        setattr(first, name, None)


_keep_within(_USUAL.split())

# What a wrong call is told, and what tracers name their spans after: as on Starlette.
_CALL_NEXT = "BaseHTTPMiddleware.__call__.<locals>.call_next"
Calls.body_stream.__qualname__ = f"{_CALL_NEXT}.<locals>.body_stream"
Calls.receive.__name__ = "receive_or_disconnect"
Calls.receive.__qualname__ = f"{_CALL_NEXT}.<locals>.receive_or_disconnect"
Channel.send.__name__ = "send_no_error"
Channel.send.__qualname__ = f"{_CALL_NEXT}.<locals>.send_no_error"
