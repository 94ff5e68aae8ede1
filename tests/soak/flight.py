"""One request under way: its client, and all that becomes of it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextvars import ContextVar
from typing import Any

from benchmarks.asgi import BROWSER_HEADERS, ASGIApp, ClientRequest, Message, Scope
from tests.soak.plans import Plan

__all__ = ["Flight", "current_number"]

_START = "http.response.start"
_ENDING = ("http.response.body", "http.response.pathsend")

current_number: ContextVar[int] = ContextVar("current_number")
"""The request that a task was started for."""


class Flight:
    """The server's end of one request, and what is written down about it.

    The server behaves as uvicorn does: `receive` waits for a message, and gives a disconnect once
    the client has gone or has its answer. What is sent to a client that is gone is lost; by spec
    2.4 that raises OSError. It is not the client of `tests.asgi`, for it goes by the clock: pieces
    arrive, the client leaves and the task is cancelled at moments that the plan has fixed.

    Attributes:
        sent: the messages that reached the client.
        events: what the application told, and how often.
        raised: what came out of the application.
        is_over: whether the application has returned or raised.
    """

    def __init__(self, plan: Plan, cookie: bytes) -> None:
        self.plan = plan
        self.cookie = cookie
        self.sent: list[Message] = []
        self.events: Counter[str] = Counter()
        self.raised: BaseException | None = None
        self.is_over = False
        self.is_gone = False
        self.is_complete = False
        self.parts = 0
        self._arrived: deque[tuple[bytes, bool]] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []

    def start(self, app: ASGIApp) -> asyncio.Task[None]:
        """Send the request, and plan what is going to happen to it."""
        loop, plan = asyncio.get_running_loop(), self.plan
        now = loop.time()
        last = len(plan.pieces) - 1
        for place, (moment, piece) in enumerate(plan.pieces):
            if moment:
                handle = loop.call_at(now + moment, self._arrive, piece, place < last)
                self._timers.append(handle)
            else:
                self._arrive(piece, place < last)
        self._task = loop.create_task(self._run(app), name=f"request {plan.number}")
        if plan.gone_at is not None:
            self._timers.append(loop.call_at(now + plan.gone_at, self._go))
        if plan.cancelled_at is not None:
            at = now + plan.cancelled_at
            self._timers.append(loop.call_at(at, self._task.cancel, "the server gives up"))
        return self._task

    def tell(self, event: str) -> None:
        """Write down that something happened in the application."""
        if self.is_over and event != "stream closed":  # which may be left to the collector
            event += " (after the request was over)"
        self.events[event] += 1

    async def receive(self) -> Message:
        """Give the next piece of the body, or tell that the client is gone."""
        while True:
            if self.is_gone or self.is_complete:
                return {"type": "http.disconnect"}
            if self._arrived:
                body, more = self._arrived.popleft()
                return {"type": "http.request", "body": body, "more_body": more}
            self._news.clear()
            await self._news.wait()

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        kind = message["type"]
        is_part = kind == _START or bool(message.get("body"))
        if is_part and self.plan.slow and not self.is_gone:
            await asyncio.sleep(self.plan.slow)
        if self.is_over:
            self.tell(f"sent {kind}")
        if self.is_gone:
            if self.plan.spec >= "2.4":
                raise OSError("the client is gone")
            return
        self.sent.append(self._kept(message))
        if kind in _ENDING and not message.get("more_body", False):
            self.is_complete = True
            self._news.set()
        self.parts += is_part
        if is_part and self.parts == self.plan.gone_after:
            self._go()

    def give_up(self) -> None:
        """End a request that does not end by itself."""
        if self._task is not None and not self._task.done():
            self._task.cancel("lost")

    async def _run(self, app: ASGIApp) -> None:
        current_number.set(self.plan.number)
        try:
            await app(self._scope(), self.receive, self.send)
        except BaseException as exc:
            self.raised = exc
        finally:
            self.is_over = True
            for timer in self._timers:
                timer.cancel()

    def _arrive(self, piece: bytes, more: bool) -> None:
        self._arrived.append((piece, more))
        self._news.set()

    def _go(self) -> None:
        self.is_gone = True
        self._news.set()

    def _kept(self, message: Message) -> Message:
        """The message as it is now, for it may be changed later."""
        kept = {**message}
        if "headers" in kept:
            kept["headers"] = [*kept["headers"]]
        return kept

    def _scope(self) -> Scope:
        plan = self.plan
        request = ClientRequest(
            path=f"/{plan.kind}",
            method=plan.method,
            query=b"id=%d" % plan.number,
            headers=tuple(self._headers()),
        )
        scope = request.scopes()()
        scope["asgi"]["spec_version"] = plan.spec
        scope["state"] = {"flight": self}
        scope["extensions"] = {"http.response.early_hint": {}}
        if plan.kind == "path-sent":
            scope["extensions"]["http.response.pathsend"] = {}
        return scope

    def _headers(self) -> Any:
        plan = self.plan
        for name, value in BROWSER_HEADERS:
            if name != b"accept-encoding" or plan.gzip:
                yield name, value
        if plan.origin:
            yield b"origin", b"https://shop.example.org"
        if plan.method == "OPTIONS":
            yield b"access-control-request-method", b"DELETE"
        if plan.cookie:
            yield b"cookie", self.cookie
