"""Responses on their way up through middleware, unsent.

`Passage` is one request on its way through one BaseHTTPMiddleware: its ``call_next`` awaits the
stage below (`turbostar._stages`) in its own task and gets the response, where neither side could
tell the difference. Where one could, the application below runs in a task of its own
(`turbostar._handoff`), as all of them do on Starlette.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, NoReturn

from anyio import CancelScope, EndOfStream
from anyio.lowlevel import checkpoint_if_cancelled
from starlette.background import BackgroundTask
from starlette.datastructures import MutableHeaders
from starlette.middleware.base import _CachedRequest, _StreamingResponse
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send

from turbostar._handoff import Handoff
from turbostar._stages import Rest, Stage

__all__ = ["Passage", "passed", "source_of", "whole", "with_headers"]


def _raise(error: Exception | None) -> NoReturn:
    """Raise what kept the application below from answering, in the context that stock does."""
    try:
        raise EndOfStream
    except EndOfStream:
        if error is None:
            raise RuntimeError("No response returned.")  # noqa: B904
        raise error from error.__cause__ or error.__context__


# Below so many in one task, another one begins with an empty stack.
_MAX_EAGER = 10


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


class _ChangeableHeaders(MutableHeaders):
    """Starlette's, with the one thing in a hurry that middleware does most: to add a header."""

    def __setitem__(self, key: str, value: str) -> None:
        name = key.lower().encode("latin-1")
        for known, _ in self._list:
            if known == name:
                super().__setitem__(key, value)
                return
        self._list.append((name, value.encode("latin-1")))

    def __reduce__(self) -> Any:
        return MutableHeaders, (None, self._list)


class _Passed(_StreamingResponse):
    """What ``call_next`` returns."""

    @property
    def headers(self) -> MutableHeaders:
        headers: MutableHeaders | None = self.__dict__.get("_headers")
        if headers is None:
            headers = self._headers = _new(_ChangeableHeaders)
            headers._list = self.raw_headers
        return headers


_new: Any = object.__new__

for _ours, _stock in (_ChangeableHeaders, MutableHeaders), (_Passed, _StreamingResponse):
    # By these names they are told of; both are what their stock classes are, and no more.
    _ours.__name__, _ours.__qualname__ = _stock.__name__, _stock.__qualname__
    _ours.__module__ = _stock.__module__


def passed(status_code: int, raw_headers: Any, source: Any, info: Any = None) -> _StreamingResponse:
    """Make what ``call_next`` returns: a response whose body is still to come."""
    response: _Passed = _new(_Passed)
    response.info = info
    response.body_iterator = Body(source)
    response.status_code = status_code
    response.media_type = None
    response.raw_headers = raw_headers
    response.background = None
    return response


# Attributes of what `passed` makes.
_MADE = 6


def with_headers(response: Any, raw_headers: Any) -> Response:
    """Return a response that is like this one but for its headers, and sent in as many messages."""
    source = source_of(response)
    if source is not None:
        return passed(response.status_code, raw_headers, source)
    return whole(response.status_code, raw_headers, response.body)


def whole(status_code: int, raw_headers: Any, body: Any) -> Response:
    """Make a response whose body is sent in one message."""
    response: Response = _new(Response)
    response.status_code = status_code
    response.raw_headers = raw_headers
    response.body = body
    response.background = None
    return response


def source_of(response: Any) -> Any:
    """Whose body a response has that ``call_next`` made; None if anybody else has a say in it."""
    if type(response) is _Passed:
        body: Any = response.body_iterator
        if type(body) is Body and not body.is_taken and response.info is None:
            return body.source
    return None


class Passage:
    """One request on its way through one BaseHTTPMiddleware.

    Its ``call_next`` is called at most once, and by its own task: of whose ``dispatch`` that is not
    known (`turbostar._bytecode.awaits_next_once`) stays as on Starlette.

    Attributes:
        request: what ``dispatch`` is called with.
        sent: whether the response has been sent, so that the application below is unheard.
        below: the passage through the next BaseHTTPMiddleware below, if that shares this task, and
            the background task of the response that its ``dispatch`` returned.
        later: the background task of the response of the endpoint, if that shared this task.
        handoff: the application below, if that runs in a task of its own.
        fatal: what is no Exception and ended the application below.
        is_open: whether there is anything below that has not come to its end.
        cancelled: the scope in which nothing more can be sent, for what is below has ended by no
            Exception.
        depth: how many more are above it in this task.
        is_plain: whether ``dispatch`` can have no timeout or cancel scope around ``call_next``.
    """

    below: tuple[Passage, BackgroundTask | None] | None = None
    fatal: BaseException | None = None
    depth = 0
    is_plain = True
    handoff: Handoff | None = None
    later: Callable[[], Awaitable[None]] | None = None
    sent = False
    is_open = False
    cancelled: CancelScope | None = None
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

    async def call_next(self, request: Any) -> Any:
        receive = self.receive  # one object, as whoever compares the two of them expects
        if self.stage is None:
            return await self._detach(self.app, receive)
        error: Exception | None = None
        try:
            inner = await self.stage(self.app, self.request.scope, receive, self)
        except Exception as exc:
            error = exc
        except asyncio.CancelledError:
            if self.task.cancelling():
                raise
            inner = None  # cancelled by nobody: the application below has raised it
            self._cancel_the_rest()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            inner, self.fatal = None, exc
            self._cancel_the_rest()
        if error is not None or inner is None:
            _raise(error)
        if type(inner) is Rest:
            return await self._detach(inner.app, receive)
        if type(inner) is not _Passed or source_of(inner) is None:
            return passed(inner.status_code, inner.raw_headers, inner)
        # Made by the next passage, and nobody there wants it any more.
        attributes = vars(inner)
        if "_headers" in attributes:
            del attributes["_headers"]  # kept by Response.headers for whoever asked there
        if len(attributes) == _MADE and inner.background is None and inner.media_type is None:
            return inner
        return passed(inner.status_code, inner.raw_headers, source_of(inner))

    def finish_later(self, background: Callable[[], Awaitable[None]]) -> None:
        """Run the background task of the endpoint's response once that has been sent."""
        self.is_open = True
        self.later = background

    def finish_below(self, passage: Passage, background: BackgroundTask | None) -> None:
        """Let the passage below come to its end once its response has been sent."""
        self.is_open = True
        self.below = passage, background

    def _cancel_the_rest(self) -> None:
        """Cancel what ``dispatch`` still awaits, as a task group does when a task of it ends so."""
        self.is_open = True
        self.cancelled = CancelScope()
        self.cancelled.__enter__()
        self.cancelled.cancel()

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
            self.is_open = True
        message: Message = {}
        with CancelScope() as cancel_scope:
            self._receiving.add(cancel_scope)
            try:
                message = await self.request.wrapped_receive()
            finally:
                self._receiving.discard(cancel_scope)
        return message

    async def _detach(self, app: ASGIApp, receive: Receive) -> Response:
        handoff = self.handoff = Handoff()
        self.is_open = True
        handoff.start(app, self.request.scope, receive, eager=self.depth < _MAX_EAGER)
        if not self.is_plain:
            # A timeout that is over, or a scope that is cancelled, comes first.
            await asyncio.sleep(0)
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
            if handoff.is_stray or handoff.fatal is not None:
                self.handoff, self.fatal = None, handoff.fatal
                self._cancel_the_rest()
            _raise(handoff.error)
        assert message["type"] == "http.response.start"
        return passed(message["status"], message.get("headers", []), handoff, info)

    async def settle(self) -> Exception | None:
        """Let everything below come to its end, now that the response has been sent.

        Returns:
            What the application below has raised since it started its response.
        """
        self.sent = True
        if self.cancelled is not None:
            cancelled, self.cancelled = self.cancelled, None
            cancelled.__exit__(None, None, None)
            if self.fatal is not None:
                raise self.fatal
            return None
        error: Exception | None = None
        handoff = self.handoff
        if handoff is not None:
            handoff.close()
        if self._receiving is not None:
            # A turn later, for who was told that its response is sent to end its listeners itself.
            asyncio.get_running_loop().call_soon(_cancel_all, self._receiving)
        if self.below is not None:
            passage, background = self.below
            error = await passage.complete(background)
        elif self.later is not None:
            await asyncio.sleep(0)  # other requests' turn comes before, as on stock
            try:
                await self.later()
            except Exception as exc:
                error = exc
        if handoff is not None:
            await handoff.wait()
            if not handoff.is_raised:
                error = error or handoff.error
        return error

    async def complete(self, background: BackgroundTask | None) -> Exception | None:
        """Do what is left to do when a response that was passed up has been sent, or dropped."""
        try:
            if background is not None and not (self.handoff and self.handoff.is_broken):
                await background()
            return await self.settle()
        except Exception as exc:
            await self.abort(exc)
            return exc

    async def abort(self, exc: BaseException) -> BaseException | None:
        """Cancel everything below: the response will not be sent to its end.

        Returns:
            `exc`, for which that is so, as it comes out of the task group that stock has here; None
            if it does not come out.
        """
        if self.cancelled is not None:
            cancelled, self.cancelled = self.cancelled, None
            if cancelled.__exit__(type(exc), exc, exc.__traceback__):
                return self.fatal
        if self.below is not None:
            await self.below[0].abort(exc)
        fatal = [] if self.fatal is None else [self.fatal]
        if self.handoff is not None:
            await self.handoff.abort()
            if self.handoff.fatal is not None and self.handoff.fatal is not exc:
                fatal.append(self.handoff.fatal)
        if fatal and isinstance(exc, Exception):
            return _group([exc, *fatal])
        exc.__cause__ = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        exc.__context__ = _group([exc])  # which it has left, as it was all of it
        return exc


def _group(found: list[BaseException]) -> BaseExceptionGroup[Any]:
    """What comes out of a task group of stock's."""
    group = BaseExceptionGroup("unhandled errors in a TaskGroup", found)
    group.__cause__ = None  # as raised from None
    return group


def _cancel_all(scopes: set[CancelScope]) -> None:
    for scope in [*scopes]:
        scope.cancel()


# What a wrong call is told, and what tracers name their spans after: as on Starlette.
Passage.call_next.__qualname__ = _CALL_NEXT = "BaseHTTPMiddleware.__call__.<locals>.call_next"
Passage.receive.__name__ = "receive_or_disconnect"
Passage.receive.__qualname__ = f"{_CALL_NEXT}.<locals>.receive_or_disconnect"
