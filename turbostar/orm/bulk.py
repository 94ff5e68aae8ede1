"""Many rows at once: insert, and insert or update."""

from __future__ import annotations

import datetime as dt
import itertools
import operator
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Any

from msgspec import UNSET

from turbostar.orm.binding import database_of
from turbostar.orm.compiler.json_columns import ColumnWriter, column_writer, goes_as_json
from turbostar.orm.compiler.write import Conflict, WriteCompiler
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import as_expression
from turbostar.orm.fields import Field
from turbostar.orm.persistence import filled_in, made_of, require_agreeing
from turbostar.orm.plans import Plan, assembled
from turbostar.orm.rows import values_decoder
from turbostar.orm.table import Table
from turbostar.orm.updates import fields_named
from turbostar.orm.writes import writes_of

__all__ = ["insert_many", "target_of", "updated_by"]

#: Rows that are in memory at a time.
BATCH = 5_000
#: Rows of one statement, where each value is a parameter.
STATEMENT_ROWS = 500

_ENDS = (dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime.min.replace(tzinfo=dt.UTC))


async def insert_many(
    model: Any,
    rows: Iterable[Any] | AsyncIterable[Any],
    *,
    on_conflict: Any = None,
    update: Any = None,
    ids: bool = True,
    database: Any = None,
) -> Any:
    """See `Model.insert_many`."""
    if database is None:
        database = database_of(model)
    job = _Insert(model, database, target_of(model, on_conflict), update, ids)
    if isinstance(rows, Sequence) and len(rows) <= BATCH:
        await job.write(rows)
        return job.result()
    async with database.transaction():
        async for chunk in _chunks(rows, BATCH):
            await job.write(chunk)
    return job.result()


async def _chunks(rows: Iterable[Any] | AsyncIterable[Any], size: int) -> AsyncIterator[list[Any]]:
    if isinstance(rows, AsyncIterable):
        chunk = []
        async for row in rows:
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk
        return
    iterator = iter(rows)
    while found := list(itertools.islice(iterator, size)):
        yield found


def target_of(model: Any, given: Any) -> tuple[Field, ...]:
    """The fields of ON CONFLICT."""
    if given is None:
        return ()
    items = given if isinstance(given, list | tuple) else [given]
    return tuple(field for item in items for field in fields_named(model, item))


def updated_by(model: Any, target: tuple[Field, ...], names: Iterable[str]) -> tuple[Field, ...]:
    """The fields that a row of these names updates where there is one already, by `target`."""
    kept = (*target, *model.__turbostar_table__.key)
    fields = (field for name in names for field in fields_named(model, name))
    return tuple(field for field in fields if field not in kept)


class _Insert:
    """One `insert_many` under way."""

    def __init__(
        self, model: Any, database: Any, target: tuple[Field, ...], update: Any, ids: bool
    ) -> None:
        self.model = model
        self.table: Table = model.__turbostar_table__
        self.database = database
        self.target = target
        self.update = update
        self.ids: list[Any] | None = [] if ids else None
        self.count = 0
        self.copies = False
        self.shared = False  # objects of the caller's, who may change them meanwhile
        self.plans: dict[Any, tuple[Plan, tuple[Field, ...]]] = writes_of(
            model, database.dialect
        ).__dict__.setdefault("bulk", {})
        self.by_columns = database.dialect.has_arrays and all(
            field.type.kind != "array" for field in self.table.fields.values()
        )
        written = writes_of(model, database.dialect).written
        self.written = written
        room = database.dialect.max_parameters // max(len(written), 1)
        self.statement_rows = BATCH if self.by_columns else max(1, min(STATEMENT_ROWS, room))

    def made(self, row: Any) -> Any:
        """A row as an object of the model."""
        if isinstance(row, self.model):
            return row
        if not isinstance(row, dict):
            raise QueryError(
                f"insert_many takes objects of {self.model.__name__} or dicts, not {row!r}"
            )
        return made_of(self.model, row)

    def objects(self, rows: Iterable[Any]) -> list[Any]:
        """Rows as objects of the model."""
        model = self.model
        if self.table.relations:
            for row in rows:
                if type(row) is dict:
                    require_agreeing(self.table, row)
        try:
            return [model(**row) if type(row) is dict else self.made(row) for row in rows]
        except TypeError:
            return [self.made(row) for row in rows]  # tells what is wrong with which name

    async def write(self, rows: Sequence[Any]) -> None:
        """Inserts some rows; those that lack the same columns go together."""
        objects = self.objects(rows)
        self.shared = not all(type(row) is dict for row in rows)
        self.copies = (
            self.ids is None
            and self.by_columns
            and not self.target
            and "." not in self.table.name
            and not self.shared
        )
        pairs = list(map(self.model.__turbostar_values__, objects))
        first = pairs[0][0] if pairs else 0
        apart = self._apart(objects)
        updates = self._updates(rows)
        if not apart and len(set(updates)) < 2 and all(absent == first for absent, _ in pairs):
            if pairs:
                await self._write(first, updates[0], objects, [values for _, values in pairs])
            return
        async with self.database.transaction():
            start = 0
            for end in (*apart, len(objects)):
                several = zip(pairs[start:end], objects[start:end], updates[start:end], strict=True)
                for (absent, updated), group in itertools.groupby(several, _form):
                    some = list(group)
                    values = [values for (_, values), _, _ in some]
                    await self._write(absent, updated, [each for _, each, _ in some], values)
                start = end

    def _updates(self, rows: Sequence[Any]) -> list[frozenset[Field] | None]:
        """What each row updates on conflict: the columns that it has by name.

        None for an object, which has all, and where it makes no difference.
        """
        if not self.target or self.update is not None:
            return [None] * len(rows)
        found: dict[tuple[str, ...], frozenset[Field]] = {}

        def updated(row: Any) -> frozenset[Field] | None:
            if isinstance(row, self.model):
                return None
            words = tuple(row)
            if words not in found:
                found[words] = frozenset(updated_by(self.model, self.target, words))
            return found[words]

        return [updated(row) for row in rows]

    def _apart(self, objects: list[Any]) -> list[int]:
        """Where a new statement has to begin, for PostgreSQL's updates a row only once in each."""
        if not self.target or not self.by_columns or self.update == ():
            return []
        key: Any = operator.attrgetter(*(field.name for field in self.target))
        found: list[int] = []
        seen: set[Any] = set()
        for number, each in enumerate(objects):
            mine = key(each)
            if mine in seen and mine is not UNSET and mine is not None:
                found.append(number)
                seen.clear()
            seen.add(mine)
        return found

    async def _write(
        self, absent: int, updated: frozenset[Field] | None, objects: list[Any], rows: list[Any]
    ) -> None:
        """Inserts rows that lack the same columns, and update the same, in one go."""
        self.count += len(rows)
        if self.copies and not self._endless(rows):
            await self._copy(absent, rows)
            return
        steps: list[tuple[Any, Any, Any]] = []
        returned: tuple[Field, ...] = ()
        for start in range(0, len(rows), self.statement_rows):
            some = rows[start : start + self.statement_rows]
            plan, returned = self._plan(absent, updated, len(some))
            decode = plan.decode if returned else None
            steps.append((plan.statement, plan.bind(some), decode))
        executor = self.database.executor()
        answer: list[Any] = []
        if len(steps) > 1:
            for part in await executor.unit(steps):
                answer += part if returned else ()
        elif returned:
            answer = await executor.fetch(*steps[0])
        else:
            await executor.execute(*steps[0][:2])
        self._take(objects, rows, returned, answer)

    def _endless(self, rows: list[Any]) -> bool:
        """A moment is the first or last of Python's, which asyncpg copies as infinity."""
        kinds = (field.type.kind for field in self.written)
        moments = [number for number, kind in enumerate(kinds) if kind == "datetime"]
        return any(row[number] in _ENDS for number in moments for row in rows)

    async def _copy(self, absent: int, rows: list[Any]) -> None:
        """Rows of which nothing is to come back, the fastest way there is."""
        numbers = [n for n in range(len(self.written)) if not absent >> n & 1]
        columns = [_column(rows, *each) for each in _encoders(self, numbers)]
        names = [self.written[number].column for number in numbers]
        schema = self.table.schema
        name = self.table.name if schema is None else f"{schema}.{self.table.name}"
        await self.database.executor().copy_rows(name, names, list(zip(*columns, strict=True)))

    def _take(
        self,
        objects: list[Any],
        rows: list[Any],
        returned: tuple[Field, ...],
        answer: list[Any],
    ) -> None:
        """What came back goes into the objects, each of which was written with its row's values."""
        key = self.table.key
        put = self.model.__turbostar_set__
        if self.target:
            found = self._matched(objects, returned, answer)
        else:
            if key[0].auto and key[0] in returned:
                place = returned.index(key[0])
                answer.sort(key=operator.itemgetter(place))
            found = list(answer) or [()] * len(objects)
        if None in found:  # ON CONFLICT DO NOTHING
            pairs = [(o, row) for o, row in zip(objects, found, strict=True) if row is not None]
        else:
            pairs = list(zip(objects, found, strict=True))
        names = [field.name for field in returned]
        kept = self.model.__turbostar_kept__
        changed = self.shared and not all(map(kept, objects, rows))
        if changed:
            for each, values, row in zip(objects, rows, found, strict=True):
                if row is not None:
                    filled_in(each, values, returned, row)
        else:
            for place, name in enumerate(names):
                for each, row in pairs:
                    put(each, name, row[place])
        scope = self.database.scope.get()
        for each, _ in pairs:
            put(each, "_new", UNSET)
            if scope is not None:
                scope.written.inserted(each, names)
        if self.ids is None:
            return
        ids: list[Any] = list(map(operator.attrgetter(*(field.name for field in key)), objects))
        if len(pairs) < len(objects):
            ids = [None if row is None else id for id, row in zip(ids, found, strict=True)]
        self.ids += ids

    def _matched(
        self, objects: list[Any], returned: tuple[Field, ...], answer: list[Any]
    ) -> list[Any]:
        """What came back for each object, found by the key of the conflict."""
        places = [returned.index(field) for field in self.target]
        names = [field.name for field in self.target]
        by_key = {}
        alone = []  # NULL is in no conflict, and so each such row is one of its own
        for row in answer:
            key = tuple(row[place] for place in places)
            if None in key:
                alone.append(row)
            else:
                by_key[key] = row
        auto = self.table.key[0]
        if alone and auto.auto and auto in returned:
            alone.sort(key=operator.itemgetter(returned.index(auto)))
        rest = iter(alone)
        keys = [tuple(getattr(each, name) for name in names) for each in objects]
        return [next(rest, None) if None in key else by_key.get(key) for key in keys]

    def result(self) -> Any:
        """The ids, or how many rows."""
        return self.count if self.ids is None else self.ids

    def _plan(
        self, absent: int, updated: frozenset[Field] | None, count: int
    ) -> tuple[Plan, tuple[Field, ...]]:
        changes = self._changes(updated)
        names = tuple(str(item) for item in changes[0])
        forms = tuple((field, node) for field, node in changes[1])
        key = (absent, self.target, names, forms, 0 if self.by_columns else count)
        found = self.plans.get(key)
        if found is None:
            if len(self.plans) > 200:
                self.plans.clear()
            found = self.plans[key] = self._compiled(absent, count, changes)
        return found

    def _changes(
        self, updated: frozenset[Field] | None
    ) -> tuple[list[Field], list[tuple[Field, Any]]]:
        """The columns that take the new row's value on conflict, and the computed ones."""
        if not self.target:
            return [], []
        if self.update is None:
            if updated is None:
                names = [field.name for field in self.written]
                updated = frozenset(updated_by(self.model, self.target, names))
            changed = [field for field in self.written if field in updated]
            # A row with nothing to change is set to itself, or its key would not come back.
            return changed or [self.target[0]], []
        if isinstance(self.update, dict):
            assigned = []
            for name, value in self.update.items():
                made = as_expression(value, self.table.field(name).type, cast=True)
                if made.values:
                    raise QueryError("update= on conflict takes expressions without values")
                assigned.append((self.table.field(name), made.node))
            return [], assigned
        return [field for item in self.update for field in fields_named(self.model, item)], []

    def _compiled(
        self, absent: int, count: int, changes: tuple[list[Field], list[tuple[Field, Any]]]
    ) -> tuple[Plan, tuple[Field, ...]]:
        given = [(n, f) for n, f in enumerate(self.written) if not absent >> n & 1]
        fields = [field for _, field in given]
        returned = [f for n, f in enumerate(self.written) if absent >> n & 1]
        returned += self.table.computed
        conflict = None
        if self.target:
            update = [field for field in changes[0] if field in fields]
            conflict = Conflict(self.target, update, changes[1])
            wanted = (*self.table.key, *self.target)
            returned += [field for field in wanted if field not in returned]
        compiler = WriteCompiler(self.database.dialect)
        if self.by_columns and fields:
            text = compiler.insert_columns(self.table, fields, returned, conflict)
        else:
            text = compiler.insert(self.table, fields, returned, rows=count, conflict=conflict)
        decode = values_decoder(returned, self.database.dialect) if returned else list
        full = self.by_columns or count == self.statement_rows
        plan = assembled(
            compiler, text, f"inserts of {self.model.__name__}", decode,
            writes=True, returns_rows=bool(returned), cacheable=full,
        )  # fmt: skip
        bind = _binder(self, [number for number, _ in given])
        return Plan(plan.statement, bind, decode), tuple(returned)


def _form(row: tuple[tuple[int, Any], Any, Any]) -> tuple[int, Any]:
    return row[0][0], row[2]


def _encoders(job: _Insert, numbers: list[int]) -> list[tuple[int, Any, Any]]:
    """For each column its number, what encodes its values, and the type that needs no encoding."""
    dialect = job.database.dialect
    fields = [(number, job.written[number]) for number in numbers]
    return [
        (number, dialect.encoder(field.type, str(field)), dialect.direct.get(field.type.kind))
        for number, field in fields
    ]


def _column(rows: list[Any], number: int, encode: Any, direct: Any) -> list[Any]:
    """The encoded values of one column."""
    return [value if type(value := row[number]) is direct else encode(value) for row in rows]


def _binder(job: _Insert, numbers: list[int]) -> Any:
    """From the values of many rows to the parameters of their statement."""
    if job.by_columns:
        return _binder_by_columns(job, numbers)
    encoders = _encoders(job, numbers)

    def by_rows(rows: list[Any]) -> list[Any]:
        columns = [_column(rows, *each) for each in encoders]
        return list(itertools.chain.from_iterable(zip(*columns, strict=True)))

    return by_rows


def _binder_by_columns(job: _Insert, numbers: list[int]) -> Any:
    """The same where each column is one parameter."""
    columns: list[tuple[int, ColumnWriter | None, Any]] = []
    for number, *encoder in _encoders(job, numbers):
        field = job.written[number]
        if goes_as_json(field.type, field.spec.type):
            columns.append((number, column_writer(field.type, str(field)), None))
        else:
            columns.append((number, None, encoder))

    def by_columns(rows: list[Any]) -> list[Any]:
        return [
            _column(rows, number, *encoder) if write is None else write([r[number] for r in rows])
            for number, write, encoder in columns
        ]

    return by_columns
