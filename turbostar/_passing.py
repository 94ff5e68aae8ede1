"""Responses on their way up through middleware, unsent.

A *stage* is a middleware that can return the response of what lies below it, in place of sending
it. `Passage` is one request on its way through one BaseHTTPMiddleware: its ``call_next`` awaits the
stage below in its own task and gets the response, where neither side could tell the difference.
Where one could, the application below runs in a task of its own (`turbostar._handoff`), as all of
them do on Starlette.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, NoReturn

from anyio import CancelScope, EndOfStream
from anyio.lowlevel import checkpoint_if_cancelled
from starlette.middleware.base import _CachedRequest, _StreamingResponse
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turbostar._handoff import Handoff

__all__ = [
    "Passage",
    "Rest",
    "Stage",
    "passed",
    "register_stage",
    "source_of",
    "stage_of",
    "unsendable",
]

#: ``respond(middleware, scope, receive, passage)``, which returns a response or a `Rest`.
Stage = Callable[[Any, Scope, Receive, "Passage"], Awaitable[Any]]

_STAGES: dict[Any, Stage] = {}


def register_stage(call: Any, respond: Stage) -> None:
    """Say that a middleware whose ``__call__`` is `call` can return its response by `respond`."""
    _STAGES[call] = respond


def stage_of(app: Any) -> Stage | None:
    """Return how to get the response of an application unsent; None if it can only send."""
    return _STAGES.get(type(app).__call__)


class Rest:
    """What is left to do for a request, in place of its response: an application that sends."""

    __slots__ = ("app",)

    def __init__(self, app: ASGIApp) -> None:
        self.app = app


async def unsendable(message: Message) -> None:
    """The ``send`` of requests whose code was found to have no use for one."""
    raise RuntimeError(
        f"{message['type']!r} was sent by code that turbostar took for code that only reads its "
        "request; please report it, and set TURBOSTAR_DISABLE=1 until it is mended"
    )


def _raise(error: Exception | None) -> NoReturn:
    """Raise what kept the application below from answering, in the context that stock does."""
    try:
        raise EndOfStream
    except EndOfStream:
        if error is None:
            raise RuntimeError("No response returned.")  # noqa: B904
        raise error from error.__cause__ or error.__context__


class Body:
    """The ``body_iterator`` of what ``call_next`` returns: an asynchronous generator, made late.

    Attributes:
        source: whose body it is: a response, or a `Handoff`.
        is_taken: whether anybody has begun to iterate.
    """

    __slots__ = ("__weakref__", "_generator", "is_taken", "source")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.is_taken = False

    def __aiter__(self) -> Body:
        return self

    def __anext__(self) -> Awaitable[Any]:
        awaitable: Awaitable[Any] = self._opened().__anext__()
        return awaitable

    def asend(self, value: Any) -> Any:
        return self._opened().asend(value)

    def athrow(self, *exception: Any) -> Any:
        return self._opened().athrow(*exception)

    def aclose(self) -> Any:
        return self._opened().aclose()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)  # ag_running and the like

    def _opened(self) -> Any:
        if not self.is_taken:
            self.is_taken = True
            source = self.source
            self._generator = source.body() if type(source) is Handoff else _body_of(source)
        return self._generator


Body.__name__ = Body.__qualname__ = "async_generator"  # as the type of stock's is called


async def _body_of(response: Any) -> AsyncGenerator[bytes, None]:
    if response.body:
        yield response.body


def passed(status_code: int, raw_headers: Any, source: Any, info: Any = None) -> _StreamingResponse:
    """Make what ``call_next`` returns: a response whose body is still to come."""
    response = _StreamingResponse.__new__(_StreamingResponse)
    response.info = info
    response.body_iterator = Body(source)
    response.status_code = status_code
    response.media_type = None
    response.raw_headers = raw_headers
    response.background = None
    return response


# Attributes of what `passed` makes, with the `_headers` that Response.headers keeps.
_UNCHANGED = 7


def source_of(response: Any) -> Any:
    """Whose body a response has that ``call_next`` made; None if anybody else has a say in it."""
    if type(response) is _StreamingResponse:
        body: Any = response.body_iterator
        if type(body) is Body and not body.is_taken and response.info is None:
            return body.source
    return None


class Passage:
    """One request on its way through one BaseHTTPMiddleware.

    Attributes:
        request: what ``dispatch`` is called with.
        sent: whether the response has been sent, so that the application below is unheard.
        has_failed: whether what is below has ended without a response, by `failure` if not None.
        below: the passage through the next BaseHTTPMiddleware below, if that shares this task, and
            the response that its ``dispatch`` returned.
        later: the background task of the response of the endpoint, if that shared this task.
        response: what ``call_next`` has returned, if what is below shared this task.
        handoffs: the applications below that run in tasks of their own.
    """

    below: tuple[Passage, Any] | None = None
    failure: Exception | None = None
    fatal: BaseException | None = None
    has_failed = False
    handoffs: list[Handoff] | None = None
    later: Callable[[], Awaitable[None]] | None = None
    response: Any = None
    sent = False
    _receiving: set[CancelScope] | None = None

    def __init__(
        self,
        app: ASGIApp,
        stage: Stage | None,
        request: _CachedRequest,
        send: Send,
        task: asyncio.Task[Any],
    ) -> None:
        self.app = app
        self.stage = stage
        self.request = request
        self.send = send
        self.task = task

    @property
    def is_open(self) -> bool:
        """Whether there is anything below that has not come to its end."""
        return (
            self.below is not None
            or self.handoffs is not None
            or self.later is not None
            or self._receiving is not None
        )

    async def call_next(self, request: Any) -> Any:
        stage = self.stage
        if (
            stage is None
            or self.has_failed
            or self.response is not None
            or self.handoffs is not None
            or current_task() is not self.task
        ):
            return await self._detach(self.app)
        error: Exception | None = None
        try:
            inner = await stage(self.app, self.request.scope, self.receive, self)
        except Exception as exc:
            error = exc
        except asyncio.CancelledError:
            if self.task.cancelling():
                raise
            inner = None  # cancelled by nobody: the application below has raised it
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            inner, self.fatal = None, exc
        if error is not None or inner is None:
            self.has_failed, self.failure = True, error
            _raise(error)
        if type(inner) is Rest:
            return await self._detach(inner.app)
        source = source_of(inner)
        if source is not None and inner.background is None and len(vars(inner)) <= _UNCHANGED:
            self.response = inner  # made by the next passage, and nobody there wants it any more
        else:
            self.response = passed(inner.status_code, inner.raw_headers, source or inner)
        return self.response

    async def receive(self) -> Message:
        """The ``receive`` of the application below: disconnected once the response was sent."""
        if self.sent:
            return {"type": "http.disconnect"}
        try:
            if current_task() is self.task:
                message = await self.request.wrapped_receive()
                # On stock a task group ends here: what `receive` raises comes out as a group, and
                # in a cancelled scope the message is lost, so that `is_disconnected()` is never so.
                await checkpoint_if_cancelled()
            else:
                message = await self._receive_until_sent()
                await asyncio.sleep(0)  # others, who send meanwhile, go first there
        except Exception as exc:
            raise ExceptionGroup("unhandled errors in a TaskGroup", [exc]) from None
        return {"type": "http.disconnect"} if self.sent else message

    async def _receive_until_sent(self) -> Message:
        if self._receiving is None:
            self._receiving = set()
        message: Message = {}
        with CancelScope() as cancel_scope:
            self._receiving.add(cancel_scope)
            try:
                message = await self.request.wrapped_receive()
            finally:
                self._receiving.discard(cancel_scope)
        return message

    async def _detach(self, app: ASGIApp) -> Response:
        handoff = Handoff()
        others = self.handoffs = self.handoffs or []
        if self.has_failed:
            handoff.close()  # all calls share one stream on stock, which their first end has closed
        handoff.start(app, self.request.scope, self.receive)
        others.append(handoff)
        if self.has_failed:
            handoff.is_raised = True
            _raise(self.failure)
        # What an earlier call has left in the stream comes out first.
        assert self.response is None or getattr(self.response.body_iterator, "is_taken", True)
        assert not any(other.is_waiting for other in others[:-1])
        info = None
        while (message := await handoff.take()) is not None:
            if message["type"] == "http.response.debug":
                info = message["info"]
            elif message["type"] == "http.response.early_hint":
                await self.send(message)
            else:
                break
        if message is None:
            handoff.is_raised = True
            self.has_failed, self.failure = True, handoff.error
            _raise(handoff.error)
        assert message["type"] == "http.response.start"
        return passed(message["status"], message.get("headers", []), handoff, info)

    async def settle(self) -> Exception | None:
        """Let everything below come to its end, now that the response has been sent.

        Returns:
            What the application below has raised since it started its response.
        """
        self.sent = True
        error: Exception | None = None
        handoffs = self.handoffs or ()
        for handoff in handoffs:
            handoff.close()
        if self._receiving is not None:
            # A turn later, for who was told that its response is sent to end its listeners itself.
            asyncio.get_running_loop().call_soon(_cancel_all, self._receiving)
        if self.below is not None:
            passage, response = self.below
            error = await passage.complete(response)
        elif self.later is not None:
            await asyncio.sleep(0)  # other requests' turn comes before, as on stock
            try:
                await self.later()
            except Exception as exc:
                error = exc
        for handoff in handoffs:
            await handoff.wait()
        for handoff in handoffs:
            if not handoff.is_raised:
                error = error or handoff.error
        return error

    async def complete(self, response: Any) -> Exception | None:
        """Do what is left to do when a response that was passed up has been sent, or dropped."""
        try:
            if response.background is not None:
                await response.background()
            return await self.settle()
        except Exception as exc:
            await self.abort(exc)
            return exc

    async def abort(self, exc: BaseException) -> BaseException:
        """Cancel everything below: the response will not be sent to its end.

        Returns:
            `exc`, for which that is so, as it comes out of the task group that stock has here.
        """
        if self.below is not None:
            await self.below[0].abort(exc)
        fatal = [] if self.fatal is None else [self.fatal]
        for handoff in self.handoffs or ():
            await handoff.abort()
            if handoff.fatal is not None and handoff.fatal is not exc:
                fatal.append(handoff.fatal)
        if fatal and isinstance(exc, Exception):
            return BaseExceptionGroup("unhandled errors in a TaskGroup", [exc, *fatal])
        exc.__cause__ = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        return exc


def _cancel_all(scopes: set[CancelScope]) -> None:
    for scope in [*scopes]:
        scope.cancel()


# What a wrong call is told, and what tracers name their spans after: as on Starlette.
Passage.call_next.__qualname__ = _CALL_NEXT = "BaseHTTPMiddleware.__call__.<locals>.call_next"
Passage.receive.__name__ = "receive_or_disconnect"
Passage.receive.__qualname__ = f"{_CALL_NEXT}.<locals>.receive_or_disconnect"
