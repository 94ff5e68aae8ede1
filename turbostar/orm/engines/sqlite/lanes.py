"""Who may use which connection: one lane to the writer, and several readers.

All of this runs in the event loop, so that no lock is needed. A lease is the sole use of a worker
for a transaction or a stream; leases are given in the order in which they were asked for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from turbostar.orm.engines.faults import pool_timeout
from turbostar.orm.engines.sqlite.worker import Job, Worker

__all__ = ["Readers", "Writer", "in_use"]

_Waiter: TypeAlias = "asyncio.Future[Worker]"

# After so many seconds with one and the same statement, a reader's waiting work goes to another.
_PATIENCE = 0.002


class _Lessor:
    """The queue of those who wait for a lease."""

    what = ""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.waiting: deque[_Waiter | Job] = deque()

    def lease_now(self) -> Worker | None:
        """A worker, if one is free and nobody else waits for it."""
        raise NotImplementedError

    def give_back(self, worker: Worker) -> None:
        """Ends a lease. What its holder put into the inbox is still done first."""
        raise NotImplementedError

    def refuse(self, error: BaseException) -> None:
        """Nobody who waits will get anything."""
        while self.waiting:
            entry = self.waiting.popleft()
            future = entry[0] if isinstance(entry, tuple) else entry
            if not future.done():
                future.set_exception(error)

    async def lease(self) -> Worker:
        """A worker, as soon as one is free. Raises PoolTimeout."""
        worker = self.lease_now()
        if worker is not None:
            return worker
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        try:
            async with asyncio.timeout(self.timeout):
                return await waiter
        except TimeoutError:
            self._withdraw(waiter)
            raise pool_timeout(self.what, self.timeout) from None
        except BaseException:
            self._withdraw(waiter)
            raise

    def _withdraw(self, waiter: _Waiter) -> None:
        if waiter.done() and not waiter.cancelled():
            self.give_back(waiter.result())  # it came in the same moment
        else:
            waiter.cancel()


class Writer(_Lessor):
    """The one connection that writes; what does not hold the lease waits while somebody does."""

    what = "SQLite's writer did not come free"

    def __init__(self, worker: Worker, timeout: float) -> None:
        super().__init__(timeout)
        self.worker = worker

    def put(self, job: Job) -> None:
        """Work that is a unit of its own."""
        if self.worker.leased:
            self._queue(job)
        else:
            self.worker.put(job)

    def lease_now(self) -> Worker | None:
        if self.worker.leased:
            return None
        self.worker.leased = True
        return self.worker

    def give_back(self, worker: Worker) -> None:
        worker.leased = False
        waiting = self.waiting
        while waiting:
            next_one = waiting.popleft()
            if isinstance(next_one, tuple):
                if not next_one[0].done():
                    worker.put(next_one)
            elif not next_one.done():
                worker.leased = True
                next_one.set_result(worker)
                return

    def _queue(self, job: Job) -> None:
        self.waiting.append(job)
        future = job[0]
        timer = future.get_loop().call_later(self.timeout, self._expire, job)
        future.add_done_callback(lambda _: timer.cancel())

    def _expire(self, job: Job) -> None:
        if not job[0].done() and any(entry is job for entry in self.waiting):
            job[0].set_exception(pool_timeout(self.what, self.timeout))


class Readers(_Lessor):
    """Connections that read. One takes all that comes; others help when a statement is slow.

    Threads of Python take turns, so that two readers would only be in each other's way while
    statements are short. More are started when they are needed, `most` at the outside.
    """

    what = "no reader of SQLite came free"

    def __init__(
        self, first: Worker, more: Callable[[], Worker], most: int, timeout: float
    ) -> None:
        super().__init__(timeout)
        self.primary = first
        self.all = [first]
        self._more = more
        self._most = max(2, most)  # one that may be leased, and one that never is
        self._watch: asyncio.TimerHandle | None = None
        self._seen = 0

    def put(self, job: Job) -> None:
        """Work that is a unit of its own."""
        primary = self.primary
        if primary.submitted != primary.finished and self._watch is None:
            self._seen = primary.finished
            self._watch = job[0].get_loop().call_later(_PATIENCE, self._relieve)
        primary.put(job)

    def lease_now(self) -> Worker | None:
        free = [worker for worker in self.all if not worker.leased and worker is not self.primary]
        found = next((worker for worker in free if not worker.busy), None)
        if found is None and len(self.all) < self._most:
            found = self._grow()
        if found is None and free:
            found = free[0]  # its present work comes first
        if found is not None:
            found.leased = True
        return found

    def give_back(self, worker: Worker) -> None:
        worker.leased = False
        while self.waiting:
            waiter = self.waiting.popleft()
            assert not isinstance(waiter, tuple)
            if not waiter.done():
                worker.leased = True
                waiter.set_result(worker)
                return

    def stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _grow(self) -> Worker:
        worker = self._more()
        self.all.append(worker)
        return worker

    def _relieve(self) -> None:
        """Looks whether the primary reader gets on; if not, another becomes the primary."""
        self._watch = None
        primary = self.primary
        if primary.inbox.empty():
            return
        if primary.finished == self._seen:
            idle = (worker for worker in self.all if not worker.leased and not worker.busy)
            other = next(idle, None)
            if other is None and len(self.all) < self._most:
                other = self._grow()
            if other is not None:
                self.primary = other
                for job in primary.take_waiting():
                    other.put(job)
                primary = other
        self._seen = primary.finished
        self._watch = asyncio.get_running_loop().call_later(_PATIENCE, self._relieve)


def in_use(workers: list[Worker]) -> int:
    """How many of them are leased or at work."""
    return sum(1 for worker in workers if worker.leased or worker.busy)
