"""Writes of many at once in one transaction, each as good as alone.

When several single statements wait for the writer, they are run one after the other between one
BEGIN and one COMMIT, and their results are told after it: a commit costs as much as the statement.
A statement that breaks a constraint undoes itself alone. Where more than that goes wrong, so that
SQLite rolls all of it back, or the commit fails, each statement is run again by itself, and has the
result that it has alone.
"""

from __future__ import annotations

import asyncio
import copy
import queue
import sqlite3
import time
from typing import Any, TypeAlias

from turbostar.orm.engines.sqlite import work
from turbostar.orm.engines.sqlite.session import Session
from turbostar.orm.errors import OrmError

__all__ = ["NOTHING", "Job", "Told", "done", "gathered", "may_be_batched", "run_batch"]

# What to do, its three arguments, and who waits for the result. A tuple, for nothing is cheaper.
Job: TypeAlias = tuple[asyncio.Future[Any], work.Work, Any, Any, Any]
# Who waits, and what for: a result or an error.
Told: TypeAlias = tuple[asyncio.Future[Any], Any, BaseException | None]

# No more in one transaction, and none begun after so many seconds: the first waits for the last.
_MOST = 64
_PATIENCE = 0.005
_WORKS = (work.fetch, work.execute)
_ROWS = frozenset(("INSERT", "UPDATE", "DELETE"))


class _Nothing:
    """No job was taken out of the inbox."""


NOTHING = _Nothing()


def may_be_batched(job: Job) -> bool:
    """One statement that writes rows, and is a unit of its own."""
    return job[1] in _WORKS and job[2].sql[:6].upper() in _ROWS


def gathered(first: Job, inbox: queue.SimpleQueue[Job | None]) -> tuple[list[Job], Any]:
    """What can be run with `first`, in order; and what was taken out after it, or `NOTHING`."""
    jobs = [first]
    try:
        while len(jobs) < _MOST:
            job = inbox.get_nowait()
            if job is None or not may_be_batched(job):
                return jobs, job
            jobs.append(job)
    except queue.Empty:
        pass  # that was all
    return jobs, NOTHING


def run_batch(session: Session, jobs: list[Job]) -> list[Told]:
    """The results of all, after the commit. Those that nobody waits for any more are left out."""
    if _defers(session):
        return _one_by_one(session, jobs)
    session.unhurried()
    try:
        work.script(session, "BEGIN IMMEDIATE")
    except OrmError as error:  # another process has the file: so it would be for each
        return [(job[0], None, copy.copy(error)) for job in jobs]
    told: list[Told] = []
    begun = 0
    started = time.monotonic()
    while begun < len(jobs) and time.monotonic() - started < _PATIENCE:
        own = done(session, jobs[begun])
        if not session.connection.in_transaction:
            # It has failed in a way that undid the others, who are run again.
            before, after = jobs[:begun], jobs[begun + 1 :]
            return [*_one_by_one(session, before), *own, *_one_by_one(session, after)]
        told += own
        begun += 1
    try:
        work.commit(session)
    except OrmError:
        begun, told = 0, []
    return [*told, *_one_by_one(session, jobs[begun:])]


def done(session: Session, job: Job) -> list[Told]:
    """What has come of one job; nothing if nobody waits for it any more."""
    future, what, one, two, three = job
    if future.cancelled():
        return []
    session.future = future
    session.hurry()
    try:
        result = what(session, one, two, three)
    except StopIteration as error:  # a future would not take it
        return [(future, None, RuntimeError(f"a decoder raised {error!r}"))]
    except BaseException as error:
        return [(future, None, error)]
    return [(future, result, None)]


def _one_by_one(session: Session, jobs: list[Job]) -> list[Told]:
    return [told for job in jobs for told in done(session, job)]


def _defers(session: Session) -> bool:
    """Whether a foreign key of the schema, as it is now, is deferred: it would see others' rows."""
    run = session.connection.execute
    try:
        version = run("PRAGMA schema_version").fetchone()[0]
        if session.schema_version != version:
            found = run(
                "SELECT 1 FROM sqlite_master WHERE lower(sql) LIKE '%initially%' LIMIT 1"
            ).fetchone()
            session.defers = found is not None
            session.schema_version = version
    except sqlite3.Error:
        return True  # each of them will tell what is wrong
    return session.defers
