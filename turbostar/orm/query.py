"""Queries: immutable, reusable, awaited for their rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import msgspec

from turbostar.orm import running
from turbostar.orm.binding import database_of
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.base import Condition, Expression, as_condition, combined
from turbostar.orm.expressions.nodes import make
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.lookups import conditions_of, ordering_of
from turbostar.orm.other_names import instead_of
from turbostar.orm.selection import Grouped, named_parts, only_fields, struct_parts
from turbostar.orm.shapes import Shape, compounded
from turbostar.orm.types import BOOL

__all__ = ["Query"]

R = TypeVar("R")
S = TypeVar("S")

Lock = Literal["update", "share", "no_key_update", "key_share", "nowait", "skip_locked"]


class Query(msgspec.Struct, Generic[R], eq=False, frozen=True):
    """Rows that are wanted. Each method gives another query; ``await`` gives a list of the rows.

    Made by ``User.filter(...)`` and the like.
    """

    shape: Shape
    bound: tuple[Any, ...] = ()
    database: Any = None
    loads: tuple[Any, ...] = ()
    with_peers: bool = False

    # Which rows

    def filter(self, *conditions: Condition | bool, **lookups: Any) -> Query[R]:
        """Those rows that meet all conditions; keywords are look-ups, as in ``age__gte=18``.

        Conditions on a relation to many that stand in one call are about the same related row.
        """
        if lookups:
            conditions = (*conditions, *conditions_of(self.shape.model, lookups))
        shape, values = self.shape, self.bound
        try:
            nodes = tuple([condition.node for condition in conditions])  # type: ignore[union-attr]
            found = shape.filters[nodes]
        except (KeyError, AttributeError):  # not seen yet after this form of a query
            found = _filtered(shape, [as_condition(condition) for condition in conditions])
        for condition in conditions:
            values += condition.values  # type: ignore[union-attr]
        return Query(found, values, self.database, self.loads, self.with_peers)

    def exclude(self, *conditions: Condition | bool, **lookups: Any) -> Query[R]:
        """Those rows that `filter` with the same arguments would leave out."""
        if lookups:
            conditions = (*conditions, *conditions_of(self.shape.model, lookups))
        if not conditions:
            return self.filter()  # nothing to leave out
        inner = combined("and", conditions)
        return self.filter(Condition(make("not_true", inner.node, type=BOOL), inner.values))

    def order(self, *by: Any) -> Query[R]:
        """In this order: columns, ``-column``, ``column.desc().nulls_last()``, or names.

        It takes the place of an earlier one; with no argument, of none.
        """
        shape, values = self.shape, self.bound
        if len(by) == 1:
            item = by[0]
            if type(item) is not Ordering:
                item = ordering_of(shape, item)
            found = shape.ordered.get(item.node)
            if found is None:
                found = shape.ordered[item.node] = shape.with_order((item.node,))
            values += item.values
        else:
            made = [ordering_of(shape, item) for item in by]
            for item in made:
                values += item.values
            found = shape.with_order(tuple([item.node for item in made]))
        return Query(found, values, self.database, self.loads, self.with_peers)

    order_by = order

    def limit(self, count: int) -> Query[R]:
        """At most so many."""
        if type(count) is not int or count < 0:
            raise QueryError(f"limit takes a number of rows, not {count!r}")
        return Query(
            self.shape.limited or self.shape.with_limit(),
            (*self.bound, count),
            self.database,
            self.loads,
            self.with_peers,
        )

    def offset(self, count: int) -> Query[R]:
        """Without the first so many."""
        if type(count) is not int or count < 0:
            raise QueryError(f"offset takes a number of rows, not {count!r}")
        return self._with(self.shape.with_offset(), (count,))

    def after(self, *last: Any) -> Query[R]:
        """Those that come after a row in this query's order (keyset pagination).

        Args:
            last: an object of the model, or its values of the columns that `order` names.
        """
        from turbostar.orm.paging import after

        return after(self, last)

    def distinct(self, *on: Any) -> Query[R]:
        """Without repeated rows; with columns (PostgreSQL), the first of each of their values."""
        if not on:
            return self._with(self.shape.step("distinct", distinct=True))
        nodes = tuple(ordering_of(self.shape, item).node.args[0] for item in on)
        parts = self.shape.parts_from(nodes)
        return self._with(self.shape.step(("distinct", nodes), distinct_on=parts))

    # Which columns

    def only(self, *fields: Any) -> Query[R]:
        """Reads these columns and the key alone; the others are UNSET."""
        return only_fields(self, fields, keep=True)

    def defer(self, *fields: Any) -> Query[R]:
        """Reads all columns but these, which are UNSET."""
        return only_fields(self, fields, keep=False)

    def values(self, *columns: Any, **named: Any) -> Query[dict[str, Any]]:
        """Dicts of these columns and named expressions, instead of objects."""
        return named_parts(self, columns, named, flat=False)

    @overload
    def values_list(self, *columns: Any) -> Query[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *columns: Any, flat: Literal[True]) -> Query[Any]: ...
    def values_list(self, *columns: Any, flat: bool = False) -> Query[Any]:
        """Tuples of these columns; with `flat`, of one column its values alone."""
        return named_parts(self, columns, {}, flat=True, single=flat)

    def into(self, struct: type[S]) -> Query[S]:
        """Rows as objects of a Struct, whose fields are found by name."""
        return struct_parts(self, struct)

    def group(self, *by: Any, **named: Any) -> Grouped:
        """Groups of rows that agree in these, for `aggregate`.

        Keywords name what is computed: ``group(month=trunc("month", Post.written))``.
        """
        return Grouped(self, by, named)

    # What comes along

    def load(self, *relations: Any, joined: bool = False) -> Query[R]:
        """Brings the objects of these relations: one query for each relation.

        Args:
            relations: ``User.posts``, ``User.posts.comments``, ``"posts.comments"``, or
                ``User.posts.filter(...)`` for some of them.
            joined: in the same statement; for relations to one.
        """
        from turbostar.orm.relations.load import with_joined, with_loads

        found: Query[R] = (with_joined if joined else with_loads)(self, relations)
        return found

    def peers(self) -> Query[R]:
        """Objects remember each other: what `fetch` loads for one, it loads for all at once."""
        return msgspec.structs.replace(self, with_peers=True)

    def lock(
        self, mode: Lock | str = "update", *, nowait: bool = False, skip_locked: bool = False
    ) -> Query[R]:
        """Locks the rows until the transaction ends; nothing on SQLite, which has one writer."""
        from turbostar.orm.selection import lock_words

        words = lock_words(mode, nowait, skip_locked)
        return self._with(self.shape.step(("lock", words), lock=words))

    def using(self, database: Any) -> Query[R]:
        """On this database."""
        return msgspec.structs.replace(self, database=database)

    # Several queries

    def join(self, table: Any, on: Condition | bool, *, left: bool = False) -> Query[R]:
        """With a common table expression (`turbostar.orm.cte`) joined to it by a condition."""
        found: Query[R] = table.joined_to(self, on, "left join" if left else "join")
        return found

    def union(self, *others: Query[Any], all: bool = False) -> Query[R]:
        """The rows of this and of others, each once; with `all`, as often as they come."""
        return self._compound("union all" if all else "union", others)

    def intersect(self, *others: Query[Any]) -> Query[R]:
        """The rows that are in this and in all others."""
        return self._compound("intersect", others)

    def except_(self, *others: Query[Any]) -> Query[R]:
        """The rows of this that are in none of the others."""
        return self._compound("except", others)

    def _compound(self, word: str, others: tuple[Query[Any], ...]) -> Query[R]:
        values = self.bound
        for other in others:
            values += other.bound
        shape = compounded(word, self.shape, *(other.shape for other in others))
        return Query(shape, values, self.database, self.loads, self.with_peers)

    def _with(self, shape: Shape, values: tuple[Any, ...] = ()) -> Query[Any]:
        return Query(shape, self.bound + values, self.database, self.loads, self.with_peers)

    # Running

    def __await__(self) -> Generator[Any, None, list[R]]:
        return running.rows(self).__await__()

    def all(self) -> Query[R]:
        """This query."""
        return self

    def first(self) -> Coroutine[Any, Any, R | None]:
        """The first row, by the key if no order was said, or None."""
        return running.first(self)

    def one(self) -> Coroutine[Any, Any, R]:
        """The only row; raises `NotFound` or `MultipleFound`."""
        return running.one(self)

    def get(self, *conditions: Condition | bool, **lookups: Any) -> Coroutine[Any, Any, R]:
        """The only row that meets the conditions; raises `NotFound` or `MultipleFound`."""
        return running.one(self.filter(*conditions, **lookups))

    def get_or_none(
        self, *conditions: Condition | bool, **lookups: Any
    ) -> Coroutine[Any, Any, R | None]:
        """As `get`, and None where there is none."""
        return running.one_or_none(self.filter(*conditions, **lookups))

    def count(self) -> Coroutine[Any, Any, int]:
        """How many rows."""
        return running.count(self)

    def exists(self) -> Coroutine[Any, Any, bool]:
        """Whether there is any row."""
        return running.exists(self)

    def aggregate(self, **named: Expression[Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        """Aggregates over all rows: ``await User.filter(...).aggregate(n=count())``."""
        return running.aggregate(self, named)

    def update(self, **changes: Any) -> Coroutine[Any, Any, int]:
        """Sets columns of all rows, in one statement; how many there were. Calls no hooks."""
        return running.update(self, changes)

    def delete(self) -> Coroutine[Any, Any, int]:
        """Deletes all rows, in one statement; how many there were. Calls no hooks."""
        return running.delete(self)

    def stream(self, chunk: int = 500) -> AsyncIterator[R]:
        """The rows one by one, read `chunk` at a time, in constant memory."""
        return running.stream(self, chunk)

    # Looking into it

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The statement and its parameters, as the driver gets them."""
        plan = running.plan_of(self, "rows")
        return plan.statement.sql, tuple(plan.bind(self.bound))

    def plan(self) -> Any:
        """The compiled plan: statement, source of its binder and of its decoder."""
        return running.plan_of(self, "rows")

    def explain(self, *, analyze: bool = False) -> Coroutine[Any, Any, str]:
        """How the database will go about it, in its own words."""
        return running.explain(self, analyze)

    def __turbostar_subquery__(self) -> tuple[Shape, tuple[Any, ...]]:
        return self.shape, self.bound

    def __getattr__(self, name: str) -> Any:
        scope = getattr(self.shape.model, "__turbostar_scopes__", {}).get(name)
        if scope is None:
            raise AttributeError(
                f"a query of {self.shape.model.__name__} has no method or scope {name!r}"
                + instead_of(self.shape.model.__name__, name)
            )
        return scope.on(self)

    if not TYPE_CHECKING:  # type checkers tell of it themselves

        def __getitem__(self, index: Any) -> Any:  # iter() asks for it, too
            raise TypeError(
                "a query has no rows before it is awaited: say (await query)[0], or limit(...)"
                " and offset(...) for some of them"
            )

        def __aiter__(self) -> Any:
            raise TypeError(
                "a query is no iterator: say for row in await query, or async for row in"
                " query.stream()"
            )

    def __repr__(self) -> str:
        from turbostar.orm.expressions.shown import shown_query

        return f"<Query {shown_query(self.shape, self.bound)}>"

    def _database(self) -> Any:
        return self.database if self.database is not None else database_of(self.shape.model)


def _filtered(shape: Shape, conditions: list[Condition]) -> Shape:
    """The shape with conditions; those on a relation to many are about one related row."""
    nodes = tuple(condition.node for condition in conditions)
    if shape.compound or shape.limit is not None or shape.offset is not None:
        raise _too_late(shape, "filter")
    if len(nodes) > 1 and any(node.many for node in nodes):
        joined = combined("and", conditions).node
        shape.filters[nodes] = found = shape.filtered((joined,))
        return found
    return shape.filtered(nodes)


def _too_late(shape: Shape, word: str) -> QueryError:
    return QueryError(
        f"{word} after limit, offset or union would change which rows they take: "
        f"call {word} before, or put the query into another by "
        f"{shape.model.__name__}.id.in_(query)"
    )
