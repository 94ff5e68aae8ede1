"""A database: its beginning and end, transactions, plain SQL, and who runs a statement."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Iterator
from contextvars import ContextVar
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

from turbostar.orm import binding
from turbostar.orm.counting import Counted, Counter
from turbostar.orm.engines import open_engine
from turbostar.orm.engines.interface import DecodeNamed, Executor, Isolation
from turbostar.orm.engines.options import OptionsGiven
from turbostar.orm.errors import DatabaseClosed, DatabaseError, TooManyQueries, WrongValue
from turbostar.orm.raw import (
    Raw,
    into_objects,
    into_structs,
    one_by_one,
    several_refused,
    statement_for,
    takes_several,
    to_dicts,
)
from turbostar.orm.transactions import Hook, TransactionScope, run_hooks

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """One database, by its URL. It opens at its first use, or by `start`.

    Args:
        url: ``sqlite:///app.db`` (a relative path; four slashes for an absolute one),
            ``sqlite:///:memory:``, or ``postgresql://user:password@host:5432/name``. Options may
            stand in it, too: ``?pool_size=5``.
        options: those of `turbostar.orm.engines.options.Options`, where each is explained:
            ``pool_size``, ``max_overflow``, ``pool_timeout``, ``pool_recycle``,
            ``pool_pre_ping``, ``warm``, ``connect_timeout``, ``statement_timeout``,
            ``pgbouncer``, ``statement_cache_size``, ``text_timestamps``, ``busy_timeout``,
            ``synchronous``, ``foreign_keys``, ``pragmas``.

    Raises:
        OrmError: an unknown kind of database or option.
        DriverMissing: PostgreSQL without asyncpg: ``pip install 'turbostar[postgres]'``.
    """

    def __init__(self, url: str, **options: Unpack[OptionsGiven]) -> None:
        self.engine = open_engine(url, dict(options))
        # Who runs a statement of this task: the open transaction, or the engine. The default makes
        # `executor` one call in C.
        self.current: ContextVar[Executor] = ContextVar("turbostar.orm", default=self.engine)
        self.executor = self.current.get
        self.scope: ContextVar[TransactionScope | None] = ContextVar("scope", default=None)
        binding.register(self)

    def __repr__(self) -> str:
        return f"<Database {self.engine.where.shown}>"

    @cached_property
    def dialect(self) -> Any:
        """How its SQL is written."""
        return self.engine.dialect

    @property
    def kind(self) -> Literal["sqlite", "postgresql"]:
        return self.engine.where.kind

    async def start(self) -> Self:
        """Opens it, with its connections, on the running event loop.

        Raises:
            CannotConnect: it is not there, or does not let us in (`DatabaseMissing`,
                `WrongPassword`).
        """
        await self.engine.start()
        binding.unregister(self)
        binding.register(self)
        return self

    async def close(self, timeout: float = 10.0) -> None:
        """Lets work under way come to its end, for at most `timeout` seconds, then cuts it."""
        binding.unregister(self)
        await self.engine.close(timeout)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def check(self) -> None:
        """Asks the database for an answer, as health checks do; raises what is wrong."""
        await self.engine.check()

    async def healthy(self) -> bool:
        """Whether `check` gets its answer."""
        try:
            await self.check()
        except (DatabaseError, DatabaseClosed):
            return False
        return True

    @property
    def in_use(self) -> int:
        """How many connections are out at this moment; 0 when nothing is under way."""
        return self.engine.in_use

    def bind(self, *models: type) -> None:
        """Has these models, and those derived from them, use this database."""
        for model in models:
            binding.bind(model, self)

    def transaction(
        self,
        *,
        isolation: Isolation | None = None,
        read_only: bool = False,
        retry: int = 0,
    ) -> TransactionScope:
        """A transaction: ``async with db.transaction():``, or as a decorator of an async function.

        Within another one of the same task it is nested: a savepoint, undone without the outer.

        Args:
            isolation: "read committed", "repeatable read" or "serializable"; None for the
                database's own. SQLite's transactions are always serializable.
            read_only: writes raise `ReadOnly`; on SQLite it does not keep others from writing.
            retry: only as a decorator: run the function so many times more when transactions at the
                same time cannot be put in an order (`SerializationFailure`, `Deadlock`,
                `LockNotAvailable`), after pauses that grow.
        """
        return TransactionScope(self, isolation=isolation, read_only=read_only, retry=retry)

    @property
    def in_transaction(self) -> bool:
        """Whether statements of this task belong to an open transaction."""
        scope = self.scope.get()
        return scope is not None and scope.open

    async def on_commit(self, hook: Hook) -> None:
        """Has `hook` called after the present transaction is committed; at once if there is none.

        It takes no arguments, and may be an async function. If the transaction, or the nested one
        in which this is called, is rolled back, it is not called.
        """
        scope = self.scope.get()
        if scope is not None and scope.open:
            scope.on_commit(hook)
        else:
            await run_hooks([hook])

    @contextlib.contextmanager
    def outside_transaction(self) -> Iterator[None]:
        """Statements in this block belong to no transaction, even if one is open around it.

        For what must be kept whatever comes of it, such as a record of failed logins, and for tasks
        that outlive the transaction in which they are started. On SQLite a write in it waits for
        the transaction around it, which has the writer: there, only read.
        """
        before, scope = self.current.get(), self.scope.get()
        self.current.set(self.counted(self.engine))
        self.scope.set(None)
        try:
            yield
        finally:
            self.current.set(before)
            self.scope.set(scope)

    @contextlib.contextmanager
    def expect(self, *, max_queries: int) -> Iterator[Counter]:
        """Raises `TooManyQueries` at the statement that is one too many, in this task and its own.

        BEGIN, COMMIT and savepoints are not counted; what goes to the database in one go, as a
        batch, counts as its number of statements.
        """
        before = self.current.get()
        counter = Counter(max_queries)
        self.current.set(Counted(before, counter))
        try:
            yield counter
        finally:
            self.current.set(before)
        if counter.count > max_queries:  # somebody has caught it within
            raise TooManyQueries(counter.text())

    def counted(self, executor: Executor) -> Executor:
        """`executor`, with the counters of `expect` blocks around this task."""
        current = self.current.get()
        counters: list[Counter] = []
        while isinstance(current, Counted):
            counters.append(current.counter)
            current = current.executor
        for counter in reversed(counters):
            executor = Counted(executor, counter)
        return executor

    @overload
    async def sql(self, text: str, /, *parameters: Any) -> list[dict[str, Any]]: ...

    @overload
    async def sql(self, text: str, /, *parameters: Any, into: type[T]) -> list[T]: ...

    async def sql(self, text: str, /, *parameters: Any, into: Any = None) -> list[Any]:
        """Runs a statement of one's own, and gives its rows.

        Args:
            text: SQL with ``$1``, ``$2`` … for the values, on every engine.
            parameters: the values, which never become part of the text.
            into: a Struct, dataclass or TypedDict that has the names of the columns, or a model,
                whose key must be among them; without it each row is a dict.

        Raises:
            QueryError: the database does not understand it, there are more values than
                placeholders, or fewer, or the rows do not fit `into`.
            WrongValue: a list, or another container, where one value belongs.
        """
        written = statement_for(self.kind, text)
        values = self._encoded(written, parameters)
        decode = self._decoder(into)
        running = self.executor().fetch_named(written.statement, values, decode)
        rows: list[Any] = await _told(running, written, parameters)
        return rows

    async def execute(self, text: str, /, *parameters: Any) -> int:
        """Runs a statement of one's own; gives the count of rows that it touched."""
        written = statement_for(self.kind, text)
        values = self._encoded(written, parameters)
        return await _told(self.executor().execute(written.statement, values), written, parameters)

    async def create_all(self, *models: type) -> None:
        """Makes the tables of these models, or of all that there are, where they are missing."""
        from turbostar.orm import schema

        await schema.create_all(self, models)

    async def drop_all(self, *models: type) -> None:
        """Drops the tables of these models, or of all that there are, with all that is in them."""
        from turbostar.orm import schema

        await schema.drop_all(self, models)

    def _decoder(self, into: Any) -> DecodeNamed:
        """What makes rows into what `sql` was asked for."""
        if into is None:
            return to_dicts
        table = getattr(into, "__turbostar_table__", None)
        return into_structs(into) if table is None else into_objects(table, self.dialect)

    def _encoded(self, written: Raw, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values as the engine takes them."""
        if self.kind != "sqlite":
            return parameters  # the server knows their types, and some are arrays
        for number, value in enumerate(parameters, 1):
            if takes_several(value):
                raise one_by_one(
                    f"${number} takes one value, not a {type(value).__name__}", written.statement
                )
        encode = self.dialect.encode
        return written.placed(tuple([encode(value) for value in parameters]))


async def _told(running: Awaitable[T], written: Raw, parameters: tuple[Any, ...]) -> T:
    """What it gives; a container that the driver refuses is told with the repair."""
    try:
        return await running
    except WrongValue as error:
        if several_refused(error, parameters):
            raise one_by_one(str(error), written.statement) from error
        raise
