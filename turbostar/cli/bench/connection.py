"""The connections of the load: each asks, compares the answer, and asks the next."""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Sequence
from typing import cast

from turbostar.cli.bench.answers import Answer, AnswerError, AnswerParser
from turbostar.cli.bench.exchange import Exchange, difference

__all__ = ["LoadError", "Round", "Target"]

_now = time.perf_counter


class LoadError(Exception):
    """An answer was wrong or, if `missing`, did not come."""

    def __init__(self, name: str, cause: str, *, missing: bool) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause
        self.missing = missing


class Target:
    """An exchange in the form in which the hot loop wants it."""

    __slots__ = ("exchange", "first", "index", "memo", "rest")

    def __init__(self, index: int, exchange: Exchange) -> None:
        self.index = index
        self.exchange = exchange
        self.first, *self.rest = exchange.pieces
        # The bytes of the last answer that was compared and found right. An answer of the same
        # bytes is right too, and costs one memcmp instead of a parse: the client must be
        # cheaper than the fastest server. The date header renews it once a second.
        self.memo: bytes | None = None


class Round:
    """Some connections that ask the targets in turn, for a time."""

    def __init__(
        self, targets: Sequence[Target], connections: int, *, timeout: float, tolerant: bool
    ) -> None:
        self.targets = targets
        self.timeout = timeout
        self.tolerant = tolerant
        self.latencies: list[float] = []
        self.differing: dict[int, str] = {}
        self.hung_up: collections.Counter[int] = collections.Counter()
        """How often the server closed a connection that it had not said it would close, by the
        index of the request that it had answered last."""
        self.stopping = False
        self.lanes = [
            Connection(self, position * len(targets) // connections % len(targets))
            for position in range(connections)
        ]
        self._working = 0
        self._ended: asyncio.Future[None] | None = None
        self._address = ("", 0)

    async def open(self, host: str, port: int) -> None:
        """Open every connection and use each for one request.

        Raises:
            LoadError: an answer was wrong or missing.
        """
        self._address = (host, port)
        await asyncio.gather(*[self.connect(lane) for lane in self.lanes])
        await self.run(0)
        self.latencies.clear()

    async def run(self, seconds: float) -> float:
        """Ask for that long, wait for the last answers, and return the seconds that it took.

        Raises:
            LoadError: an answer was wrong or missing.
        """
        loop = asyncio.get_running_loop()
        ended = self._ended = loop.create_future()
        self._working = len(self.lanes)
        self.stopping = seconds <= 0
        started = _now()
        timer = loop.call_later(seconds, self._stop)
        watch = loop.create_task(self._watch())
        try:
            for lane in self.lanes:
                lane.ask()
            await ended
        finally:
            timer.cancel()
            watch.cancel()
        return _now() - started

    async def connect(self, lane: Connection) -> None:
        """Open the TCP connection of `lane`; a failure ends the round."""
        try:
            await asyncio.get_running_loop().create_connection(lambda: lane, *self._address)
        except OSError as exc:
            cause = f"cannot connect ({exc.strerror or exc})"
            error = LoadError(lane.target.exchange.name, cause, missing=True)
            if self._ended is None:
                raise error from exc
            self.fail(error)

    def close(self) -> None:
        """Close every connection."""
        for lane in self.lanes:
            lane.close()

    def fail(self, error: LoadError) -> None:
        """End the round with this error."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    def rest(self) -> None:
        """One connection has its answer and asks no more."""
        self._working -= 1
        if not self._working and self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def wrong(self, target: Target, cause: str) -> bool:
        """An answer was wrong; return whether the connection goes on."""
        if self.tolerant:
            # A different status says more than a different body: it is what is reported.
            if target.index not in self.differing or cause.startswith("status"):
                self.differing[target.index] = cause
            return True
        self.fail(LoadError(target.exchange.name, cause, missing=False))
        return False

    def _stop(self) -> None:
        self.stopping = True

    async def _watch(self) -> None:
        """End the round when an answer is overdue."""
        while True:
            await asyncio.sleep(min(1.0, self.timeout))
            latest = _now() - self.timeout
            for lane in self.lanes:
                if lane.waiting and lane.started < latest:
                    cause = f"nothing within {self.timeout:g} s"
                    self.fail(LoadError(lane.target.exchange.name, cause, missing=True))
                    return


class Connection(asyncio.Protocol):
    """One connection; it is replaced by a successor when the server closes it."""

    __slots__ = (
        "_memo",
        "_offset",
        "_parser",
        "_position",
        "_previous",
        "_raw",
        "_round",
        "_transport",
        "_unsent",
        "started",
        "target",
        "waiting",
    )

    def __init__(self, round_: Round, position: int) -> None:
        self._round = round_
        self._position = position
        self._previous: Target | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: AnswerParser | None = None
        self._raw: list[bytes] = []
        self._memo: bytes | None = None
        self._offset = 0
        self._unsent: list[bytes] = []
        self.target = round_.targets[position]
        self.waiting = False
        self.started = 0.0

    def ask(self) -> None:
        """Send the next request."""
        targets = self._round.targets
        position = self._position
        self.target = target = targets[position]
        self._position = position + 1 if position + 1 < len(targets) else 0
        self._memo = target.memo
        self._offset = 0
        self._parser = None
        self.waiting = True
        self.started = _now()
        if self._transport is None:
            self._reconnect()
        else:
            self._write()

    def close(self) -> None:
        """Close the connection without waiting for anything."""
        self.waiting = False
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request that waited for the connection, if any."""
        self._transport = cast(asyncio.Transport, transport)
        if self.waiting:
            self._write()

    def data_received(self, data: bytes) -> None:
        """Compare the answer; when it is complete ask the next."""
        if self._parser is None:
            memo, offset = self._memo, self._offset
            if memo is not None and memo.startswith(data, offset) and self.waiting:
                self._offset = offset = offset + len(data)
                if offset == len(memo):
                    self._next()
                return
            if not self.waiting:
                self._missing(f"bytes without a request: {data[:40]!r}")
                return
            self._parser = AnswerParser(to_head=self.target.exchange.to_head)
            if memo is not None:
                data = memo[:offset] + data
            self._raw = []
        self._raw.append(data)
        try:
            answer = self._parser.feed(data)
        except AnswerError as exc:
            self._missing(str(exc))
            return
        if answer is not None:
            self._check(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what came as the answer if it ends with the connection; else it is missing.

        If nothing came, and the connection was good for a request before, ask over a new one:
        where an application raises, uvicorn sends the answer and then hangs up.
        """
        was_open, self._transport = self._transport is not None, None
        has_begun = self.waiting and (self._parser is not None or self._offset > 0)
        if was_open and not has_begun and self._previous is not None:
            self._round.hung_up[self._previous.index] += 1
            if self.waiting:
                self._reconnect()
            return
        if not self.waiting:
            return
        parser = self._parser or AnswerParser()
        try:
            if self._parser is None and self._memo is not None and self._offset:
                parser.feed(self._memo[: self._offset])
            answer = parser.end()
        except AnswerError as error:
            self._missing(str(exc or error))
        else:
            self._check(answer)

    def _write(self) -> None:
        assert self._transport is not None
        self._transport.write(self.target.first)
        if self.target.rest:
            self._unsent = self.target.rest[::-1]
            asyncio.get_running_loop().call_soon(self._write_rest)

    def _write_rest(self) -> None:
        """Write the other pieces, each in a turn of the loop of its own."""
        if self._unsent and self._transport is not None:
            self._transport.write(self._unsent.pop())
            asyncio.get_running_loop().call_soon(self._write_rest)

    def _check(self, answer: Answer) -> None:
        target = self.target
        wrong = difference(target.exchange.expected, answer)
        if wrong is not None and not self._round.wrong(target, wrong):
            return
        if answer.keep_alive and wrong is None and target.exchange.expected.body is not None:
            target.memo = b"".join(self._raw)
        # An answer that did not wait for the whole body leaves the connection in between.
        if not (answer.keep_alive and not self._unsent) and self._transport is not None:
            self._unsent = []
            self._transport.close()
            self._transport = None
        self._next()

    def _next(self) -> None:
        self._round.latencies.append(_now() - self.started)
        self._previous = self.target
        if self._round.stopping:
            self.waiting = False
            self._round.rest()
        else:
            self.ask()

    def _missing(self, cause: str) -> None:
        self._round.fail(LoadError(self.target.exchange.name, cause, missing=True))

    def _reconnect(self) -> None:
        """Give the request to a new connection, which takes this one's place.

        A protocol of its own keeps the late `connection_lost` of the old transport away from it.
        """
        lanes = self._round.lanes
        successor = Connection(self._round, self._position)
        lanes[lanes.index(self)] = successor
        successor.target, successor.started, successor.waiting = self.target, self.started, True
        successor._memo = self._memo
        self.waiting = False
        asyncio.get_running_loop().create_task(self._round.connect(successor))
