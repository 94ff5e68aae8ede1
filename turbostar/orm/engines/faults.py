"""Faults that all engines tell in the same words."""

from __future__ import annotations

from turbostar.orm.errors import (
    DatabaseClosed,
    OrmError,
    PoolTimeout,
    TransactionError,
    WrongLoop,
)

__all__ = ["closed", "ended_transaction", "failed_transaction", "pool_timeout", "wrong_loop"]


def closed(shown: str) -> DatabaseClosed:
    return DatabaseClosed(f"{shown} was closed: `await db.start()` opens it again")


def wrong_loop(shown: str) -> WrongLoop:
    return WrongLoop(
        f"{shown} is open on another event loop: close it there first, or make a Database for each"
        " loop"
    )


def ended_transaction() -> TransactionError:
    return TransactionError(
        "this transaction has ended: a task that was started in it lives longer than it does; start"
        " the task outside, or await it inside"
    )


def failed_transaction(cause: BaseException) -> OrmError:
    if isinstance(cause, DatabaseClosed):  # nothing was wrong with the statement
        return DatabaseClosed(*cause.args)
    return TransactionError(
        "this transaction has failed and can only be rolled back, for a statement in it failed"
        f" ({type(cause).__name__}); wrap what may fail in a nested `async with db.transaction()`"
    )


def pool_timeout(what: str, seconds: float) -> PoolTimeout:
    return PoolTimeout(
        f"{what} within pool_timeout ({seconds:g} s): hold transactions and streams for a shorter"
        " time, or raise the limit"
    )
