"""Transactions as an application writes them: blocks, nested blocks, functions to run again."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import random
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from turbostar.orm.engines.interface import ISOLATIONS, Executor, Isolation, Transaction
from turbostar.orm.errors import DatabaseError, OrmError, TransactionError
from turbostar.orm.undoing import Written

if TYPE_CHECKING:
    from turbostar.orm.database import Database

__all__ = ["Hook", "TransactionScope", "run_hooks"]

P = ParamSpec("P")
T = TypeVar("T")

# Called after a commit; what it returns is awaited if it can be.
Hook: TypeAlias = Callable[[], Any]

# Seconds before the first repetition; it doubles each time, and is drawn at random up to that.
_PAUSE = 0.01


class TransactionScope:
    """What `Database.transaction` gives: ``async with`` it, or decorate an async function with it.

    The outermost is a transaction, those within are savepoints. It can be entered once.
    """

    def __init__(
        self,
        database: Database,
        *,
        isolation: Isolation | None,
        read_only: bool,
        retry: int,
    ) -> None:
        if isolation is not None and isolation not in ISOLATIONS:
            levels = ", ".join(repr(level) for level in ISOLATIONS)
            raise TransactionError(f"there is no isolation {isolation!r}; there are {levels}")
        self._database = database
        self._isolation = isolation
        self._read_only = read_only
        self._retry = retry
        self._outer: TransactionScope | None = None
        self._inner: TransactionScope | None = None  # the nested one that is open now
        self._before: Executor | None = None
        self._transaction: Transaction | None = None
        self._depth = 0
        self._savepoint = ""
        self._hooks: list[Hook] = []
        self.written = Written()

    @property
    def open(self) -> bool:
        """It was entered, and has not ended."""
        return self._transaction is not None and self._transaction.open

    def on_commit(self, hook: Hook) -> None:
        """Has `hook` called when the outermost transaction is committed."""
        if not self.open:
            raise TransactionError("this transaction is not open, and so will not be committed")
        self._hooks.append(hook)

    async def __aenter__(self) -> TransactionScope:
        if self._retry:
            raise TransactionError(
                "retry= runs a function again, which a block cannot be: decorate an async function"
                " with @db.transaction(retry=...)"
            )
        if self._transaction is not None:
            raise TransactionError("a transaction is entered once: call db.transaction() anew")
        database = self._database
        outer = database.scope.get()
        self._before = database.current.get()
        if outer is not None and outer.open:
            await self._nest(outer)
        else:
            self._transaction = await database.engine.begin(
                isolation=self._isolation, read_only=self._read_only
            )
        assert self._transaction is not None
        database.scope.set(self)
        database.current.set(database.counted(self._transaction))
        return self

    async def _nest(self, outer: TransactionScope) -> None:
        if self._isolation not in (None, outer._isolation):
            raise TransactionError(
                f"a nested transaction cannot be {self._isolation!r}: isolation is chosen for the"
                " outermost"
            )
        if self._read_only and not outer._read_only:
            raise TransactionError("a nested transaction cannot be read-only when the outer is not")
        if outer._inner is not None:
            raise TransactionError(
                "another task has a nested transaction open in this one: savepoints of one"
                " transaction cannot overlap; give each task a transaction of its own"
            )
        assert outer._transaction is not None
        self._isolation, self._read_only = outer._isolation, outer._read_only
        # By its depth, so that the same few statements come again and stay prepared.
        self._depth = outer._depth + 1
        self._savepoint = f"turbostar_{self._depth}"
        outer._inner = self
        try:
            await outer._transaction.savepoint(self._savepoint)
        except BaseException:
            outer._inner = None
            raise
        self._outer = outer
        self._transaction = outer._transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        database, outer, transaction = self._database, self._outer, self._transaction
        assert transaction is not None
        assert self._before is not None
        database.current.set(self._before)
        database.scope.set(outer)
        if outer is not None:
            await self._leave_nested(outer, transaction, kind)
        elif kind is not None:
            self.written.undo()
            await transaction.rollback()
        else:
            try:
                await transaction.commit()
            finally:
                if not transaction.committed:
                    self.written.undo()
                    await transaction.rollback()
                elif self._hooks:
                    await run_hooks(self._hooks)

    async def _leave_nested(
        self, outer: TransactionScope, transaction: Transaction, kind: type[BaseException] | None
    ) -> None:
        outer._inner = None
        self._transaction = None
        if not transaction.open:
            self.written.undo()
            return  # ended from outside: the block's own error tells of it
        if kind is None:
            # Before the release: if that fails, all of the transaction does.
            outer.written.take(self.written)
            await transaction.release(self._savepoint)
            outer._hooks += self._hooks
        else:
            self.written.undo()
            # If even this fails, so has the whole transaction, and the block's error tells more.
            with contextlib.suppress(OrmError):
                await transaction.rollback_to(self._savepoint)

    def __call__(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Runs each call of an async function in a transaction of its own, `retry` times more."""
        if not inspect.iscoroutinefunction(function):
            raise TransactionError(f"{function!r} is no async function: it cannot be a transaction")
        settings: dict[str, Any] = {"isolation": self._isolation, "read_only": self._read_only}
        database, retry = self._database, self._retry

        @functools.wraps(function)
        async def transactional(*args: P.args, **kwargs: P.kwargs) -> T:
            outer = database.scope.get()
            left = 0 if outer is not None and outer.open else retry
            pause = _PAUSE
            while True:
                try:
                    async with database.transaction(**settings):
                        return await function(*args, **kwargs)
                except (DatabaseError, TransactionError) as error:
                    if left == 0 or not _retryable(error):
                        raise
                left -= 1
                await asyncio.sleep(random.uniform(0, pause))
                pause *= 2

        return transactional


def _retryable(error: BaseException | None) -> bool:
    """It, or what a failed transaction has failed of, may go well the next time."""
    if isinstance(error, TransactionError):
        error = error.__cause__
    return isinstance(error, DatabaseError) and error.retryable


async def run_hooks(hooks: list[Hook]) -> None:
    """All of them, even if some raise, or one is cancelled; then what they have raised."""
    errors: list[Exception] = []
    cancelled: asyncio.CancelledError | None = None
    for hook in hooks:
        try:
            result = hook()
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            errors.append(error)
        except asyncio.CancelledError as error:
            cancelled = error  # what was written is there: the others have to hear of it
    if cancelled is not None:
        raise cancelled
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("hooks after a commit have failed; the commit stands", errors)
