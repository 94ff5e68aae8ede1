"""Connections to PostgreSQL: who has one, who waits for one, and what becomes of one given back.

All of this runs in one event loop, and taking a free connection waits for nothing. A connection is
given back as it is, unless its session was changed; whatever is not certain to be in order is
looked after in a task of its own, and counts as taken meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from turbostar.orm.engines.faults import closed, pool_timeout
from turbostar.orm.engines.options import Where
from turbostar.orm.engines.postgresql.driver import connect
from turbostar.orm.errors import OrmError

__all__ = ["Link", "Pool"]

T = TypeVar("T")

# Seconds: for a connection to come to order, and for one more than pool_size to be of use again.
_TO_ORDER = 10.0
_IDLE = 30.0
# To wait for one to come free, which takes less than to open one more than pool_size.
_SOON = 0.005
# And between two looks whether all is closed.
_LOOK_AGAIN = 0.005


class Link:
    """One connection, and what the pool knows of it."""

    __slots__ = ("born", "changed", "connection", "dead")

    def __init__(self, connection: Any, born: float) -> None:
        self.connection = connection
        self.born = born
        self.changed = False  # its session is not what it was when it was made
        self.dead = False


class Pool:
    """At most ``pool_size + max_overflow`` connections; the last one given back is used first."""

    def __init__(self, where: Where, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self.where = where
        self.loop = loop
        self.size = size  # how many are kept
        self.most = size + where.options.max_overflow
        self.count = 0  # how many there are, those being opened with them
        self.idle: list[Link] = []
        self.all: set[Link] = set()
        self.waiting: deque[asyncio.Future[Link]] = deque()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.closing = False
        self._recycle = where.options.pool_recycle
        self._ping = where.options.pool_pre_ping
        self._trimming: asyncio.TimerHandle | None = None
        self._overflowing: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        return len(self.all) - len(self.idle)  # those being opened are nobody's yet

    async def warm(self, count: int) -> None:
        """Opens connections ahead of need. The first tells whether the database is there."""
        self.give_back(await self._opened())
        more = [self._opened() for _ in range(min(count, self.most) - self.count)]
        for link in await asyncio.gather(*more, return_exceptions=True):
            if isinstance(link, Link):
                self.give_back(link)
            elif not isinstance(link, OrmError):
                raise link
            # A server that has too few for all: those who need one will be told.

    async def take(self) -> Link:
        """A connection, for the sole use of the caller, who must hand it to `give_back`.

        Raises:
            PoolTimeout: none came free within ``pool_timeout``.
            CannotConnect: one more was to be opened, and could not.
        """
        while True:
            link = self.idle.pop() if self.idle else await self._one_more()
            if not self._ping or await self._answers(link):
                return link
            self.discard(link)

    async def _one_more(self) -> Link:
        if self.closing:
            raise closed(self.where.shown)
        waiter: asyncio.Future[Link] = self.loop.create_future()
        self.waiting.append(waiter)
        if self.count < self.size:
            self._spawn_counted(self._open_for(waiter))
        elif self.count < self.most and self._overflowing is None:
            self._overflowing = self.loop.call_later(_SOON, self._overflow)
        timeout = self.where.options.pool_timeout
        try:
            async with asyncio.timeout(timeout):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(waiter.result())  # it came in the same moment
            waiter.cancel()
            if isinstance(error, TimeoutError):
                raise pool_timeout(f"none of {self.most} connections came free", timeout) from None
            raise

    def give_back(self, link: Link) -> None:
        """Ends the use of a connection that is in order, and in no transaction."""
        if link.dead:
            self._forget(link)
        elif link.changed:
            self.spawn(self._reset(link))
        elif self._recycle is not None and self.loop.time() - link.born > self._recycle:
            self._retire(link)
        else:
            self._hand_on(link)

    def _hand_on(self, link: Link) -> None:
        """To who has waited longest, or to those that are free."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(link)
                return
        if self.closing:
            self._retire(link)
            return
        self.idle.append(link)
        if self.count > self.size and self._trimming is None:
            self._trimming = self.loop.call_later(_IDLE, self._trim)

    def discard(self, link: Link) -> None:
        """Ends the use of a connection that is not in order, and cuts it."""
        if not link.connection.is_closed():
            link.connection.terminate()
        self._forget(link)

    def recover(self, link: Link) -> None:
        """Ends the use of a connection of which nobody knows how it stands."""
        if link.dead or link.connection.is_closed():
            self.discard(link)
        else:
            self.spawn(self._roll_back(link))

    async def roll_back(self, link: Link) -> None:
        """`recover`, waited for: in the end its transaction is over, whatever becomes of it."""
        if link.dead or link.connection.is_closed():
            self.discard(link)
        else:
            await self._roll_back(link)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that the pool waits for when it is closed."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def close(self, timeout: float) -> None:
        """Lets work under way end, for at most `timeout` seconds; then cuts what is left."""
        deadline = self.loop.time() + timeout
        self.leave()
        while (self.count or self.tasks) and self.loop.time() < deadline:
            await asyncio.sleep(_LOOK_AGAIN)
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_exception(closed(self.where.shown))
        for link in list(self.all):
            self.discard(link)
        left = [task for task in self.tasks if task.cancel()]
        if left:
            await asyncio.wait(left, timeout=_TO_ORDER)

    def leave(self) -> None:
        """Keeps no connection from now on."""
        self.closing = True
        for timer in (self._trimming, self._overflowing):
            if timer is not None:
                timer.cancel()
        idle, self.idle = self.idle, []
        for link in idle:
            self._retire(link)

    def abandon(self) -> None:
        """The loop is gone, and no connection can be closed on it: their sockets end with them."""
        for link in self.all:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                link.connection.terminate()
        self.all.clear()
        self.idle.clear()
        self.count = 0

    def _opened(self) -> Coroutine[Any, Any, Link]:
        """A new connection. If nobody waits for it any more when it is there, the pool has it."""
        return self._kept(self._spawn_counted(self._open()))

    async def _kept(self, opening: asyncio.Task[Link]) -> Link:
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._keep)
            raise

    def _keep(self, opening: asyncio.Task[Link]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            self.give_back(opening.result())

    async def _open(self) -> Link:
        """A new connection, which was counted when it was decided upon."""
        try:
            connection = await connect(self.where)
        except BaseException:
            self.count -= 1
            raise
        link = Link(connection, self.loop.time())
        self.all.add(link)

        def ended(_: Any) -> None:
            # Also if it is in use: whoever has it may be long in giving it back, such as a stream
            # that nobody reads to its end and that waits to be collected.
            if link in self.idle:
                self.idle.remove(link)
            self._forget(link)

        connection.add_termination_listener(ended)
        return link

    def _forget(self, link: Link) -> None:
        """One connection less."""
        link.dead = True
        if link in self.all:
            self.all.remove(link)
            self.count -= 1
            self._serve_waiting()

    def _serve_waiting(self) -> None:
        """There is room for a connection: who waits for one must not wait for another to end."""
        while self.waiting and self.waiting[0].done():
            self.waiting.popleft()
        if self.waiting and self.count < self.most and not self.closing:
            self._spawn_counted(self._open_for(self.waiting[0]))

    def _overflow(self) -> None:
        """Some have waited in vain: one connection more, and soon another if that is not enough."""
        self._overflowing = None
        self._serve_waiting()
        if self.waiting and self.count < self.most and not self.closing:
            self._overflowing = self.loop.call_later(_SOON, self._overflow)

    def _spawn_counted(self, opening: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that opens a connection, which counts now.

        Many may ask in one turn of the loop, before the task begins, and must not open it, too.
        """
        self.count += 1
        return self.spawn(opening)

    async def _open_for(self, waiter: asyncio.Future[Link]) -> None:
        """A new connection for who has waited longest by then; if there is none, `waiter` is told.

        Nobody else is: what went wrong before they came need not go wrong again.
        """
        try:
            link = await self._open()
        except Exception as error:
            if not waiter.done():
                waiter.set_exception(error)
            self._serve_waiting()
        else:
            self.give_back(link)

    async def _answers(self, link: Link) -> bool:
        try:
            async with asyncio.timeout(_TO_ORDER):
                await link.connection.execute("SELECT 1")
        except asyncio.CancelledError:
            self.recover(link)
            raise
        except Exception:  # whatever it is, this connection is of no use
            return False
        return True

    async def _roll_back(self, link: Link) -> None:
        """Waits for a cancelled statement to be over, and ends the transaction."""
        try:
            async with asyncio.timeout(_TO_ORDER):
                await _in_order(link.connection)
        except BaseException as error:
            self.discard(link)
            if not isinstance(error, Exception):
                raise
        else:
            self.give_back(link)

    async def _reset(self, link: Link) -> None:
        try:
            async with asyncio.timeout(_TO_ORDER):
                await link.connection.reset()
                await link.connection.execute("DISCARD TEMP")
        except BaseException as error:
            self.discard(link)
            if not isinstance(error, Exception):
                raise
        else:
            link.changed = False
            self.give_back(link)

    def _retire(self, link: Link) -> None:
        """Closes a connection that is in order."""
        self._forget(link)
        self.spawn(_close(link))

    def _trim(self) -> None:
        """Closes what is more than is kept, the longest unused first."""
        self._trimming = None
        more = min(self.count - self.size, len(self.idle))
        for link in self.idle[: max(0, more)]:
            self.idle.remove(link)
            self._retire(link)


async def _in_order(connection: Any) -> None:
    """Waits until the connection answers, and leaves no transaction open."""
    try:
        await connection.execute("ROLLBACK" if connection.is_in_transaction() else "SELECT 1")
    except Exception:
        if connection.is_closed():
            raise
        # A cancellation on its way has hit this; it will not hit what comes now.
        await connection.execute("SELECT 1" if not connection.is_in_transaction() else "ROLLBACK")
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


async def _close(link: Link) -> None:
    try:
        await link.connection.close(timeout=_TO_ORDER)
    except Exception:  # it is closed in any case, if not by consent
        link.connection.terminate()
