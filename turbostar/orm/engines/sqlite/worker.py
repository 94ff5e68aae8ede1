"""A thread that owns one connection, and drains an inbox of work for it."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

from turbostar.orm.engines.options import Where
from turbostar.orm.engines.sqlite.batches import (
    NOTHING,
    Job,
    done,
    gathered,
    may_be_batched,
    run_batch,
)
from turbostar.orm.engines.sqlite.outbox import Outbox
from turbostar.orm.engines.sqlite.session import Session

__all__ = ["Job", "Worker"]

# Results are laid out at least this often, while there is more to do.
_MOST_UNTOLD = 32


class Worker:
    """One connection's thread. It starts at once, and opens its connection first.

    `submitted` is counted in the loop and `finished` in the thread: while they differ, it is busy.
    """

    __slots__ = (
        "_outbox",
        "_thread_inbox",
        "cut",
        "ended",
        "finished",
        "inbox",
        "leased",
        "submitted",
        "thread",
    )

    def __init__(self, name: str, where: Where, outbox: Outbox, *, reads_only: bool) -> None:
        self._thread_inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.inbox: queue.SimpleQueue[Job | None] | _Refusal = self._thread_inbox
        self._outbox = outbox
        self.submitted = 0
        self.finished = 0
        self.leased = False
        self.cut = False  # whatever it does now is to be stopped
        self.ended: asyncio.Future[None] | None = None  # who waits for the thread's end
        self.thread = threading.Thread(
            target=_drain, args=(self, where, outbox, reads_only), name=name, daemon=True
        )
        self.thread.start()

    @property
    def busy(self) -> bool:
        return self.submitted != self.finished

    def put(self, job: Job) -> None:
        """Gives the thread a piece of work. In the loop."""
        self.submitted += 1
        self.inbox.put(job)

    def take_waiting(self) -> list[Job]:
        """Takes back what the thread has not begun. In the loop."""
        taken: list[Job] = []
        try:
            while True:
                job = self._thread_inbox.get_nowait()
                if job is None:
                    self.stop()
                    break
                taken.append(job)
        except queue.Empty:
            pass  # that was all of it
        self.submitted -= len(taken)
        # The thread may have believed that it would tell of its last results with these.
        self._outbox.deliver()
        return taken

    def stop(self) -> None:
        """Has the thread end after what is in its inbox."""
        self._thread_inbox.put(None)

    def refuse(self, jobs: list[Job], error: BaseException) -> None:
        """Has `jobs`, and all that is put in from now on, fail with `error`. In the loop."""
        self.inbox = _Refusal(error)
        for job in jobs:
            self.inbox.put(job)


def _drain(worker: Worker, where: Where, outbox: Outbox, reads_only: bool) -> None:
    """The thread's whole life."""
    done = outbox.done

    def peek() -> bool:
        """In the middle of a slow statement: nobody's result waits for its end."""
        if done:
            outbox.ring()
        return worker.cut

    try:
        session = Session(where, reads_only=reads_only, peek=peek)
    except BaseException as error:
        _refuse_all(worker, outbox, error)
        _tell_end(worker, outbox)
        return
    try:
        _work(worker, session, outbox, worker._thread_inbox, not reads_only)
    finally:
        session.close()
        _tell_end(worker, outbox)


def _work(
    worker: Worker,
    session: Session,
    outbox: Outbox,
    inbox: queue.SimpleQueue[Job | None],
    batches: bool,
) -> None:
    get, empty, lay = inbox.get, inbox.empty, outbox.done.append
    limited = session.limit is not None
    untold = 0
    taken: Any = NOTHING  # a job that was looked at, and has yet to be done
    while True:
        job: Job | None = get() if taken is NOTHING else taken
        taken = NOTHING
        if job is None:
            return
        future, work, one, two, three = job
        if batches and not empty() and may_be_batched(job):
            jobs, taken = gathered(job, inbox)
            told = run_batch(session, jobs) if len(jobs) > 1 else done(session, job)
            outbox.done.extend(told)
            worker.finished += len(jobs)
            untold += len(told)
            jobs, told = [], []
        else:
            if not future.cancelled():
                session.future = future
                if limited:
                    session.hurry()
                try:
                    result = work(session, one, two, three)
                except StopIteration as error:  # a future would not take it
                    lay((future, None, RuntimeError(f"a decoder raised {error!r}")))
                except BaseException as error:
                    lay((future, None, error))
                else:
                    lay((future, result, None))
                    result = None
                untold += 1
            worker.finished += 1
        if untold and (untold >= _MOST_UNTOLD or (empty() and taken is NOTHING)):
            untold = 0
            job = future = session.future = one = two = three = None  # type: ignore[assignment]
            outbox.ring()


class _Refusal:
    """Stands for the inbox of a worker that is no more."""

    __slots__ = ("_error",)

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def put(self, job: Job | None) -> None:
        if job is not None and not job[0].done():
            job[0].set_exception(self._error)

    def empty(self) -> bool:
        return True


def _tell_end(worker: Worker, outbox: Outbox) -> None:
    if worker.ended is not None:
        outbox.done.append((worker.ended, None, None))
        outbox.ring()


def _refuse_all(worker: Worker, outbox: Outbox, error: BaseException) -> None:
    """The connection cannot be opened: so says each piece of work, until the thread is stopped."""
    while (job := worker._thread_inbox.get()) is not None:
        worker.finished += 1
        outbox.done.append((job[0], None, error))
        outbox.ring()
