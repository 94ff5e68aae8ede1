"""How queries begin: the methods of a model's class that give a query, or run one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from turbostar.orm import persistence
from turbostar.orm.binding import database_of
from turbostar.orm.errors import NotFound, QueryError
from turbostar.orm.expressions.base import Condition, Expression
from turbostar.orm.query import Query
from turbostar.orm.table import Table  # msgspec reads the annotations below
from turbostar.orm.writes import writes_of

if TYPE_CHECKING:
    from turbostar.orm.selection import Grouped

__all__ = ["Starts"]

S = TypeVar("S")

_PLAIN = (int, str)  # isinstance takes its time for a class whose metaclass is not `type`


class Starts:
    """The part of `turbostar.orm.Model` that begins queries."""

    __slots__ = ()

    __turbostar_table__: ClassVar[Table]
    __turbostar_all__: ClassVar[Query[Any]]
    __turbostar_query__: ClassVar[Query[Any] | None] = None
    __turbostar_scopes__: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __turbostar_start__(cls) -> Query[Any]:
        """The query that all others begin with: with the default scopes, if there are any."""
        query = cls.__turbostar_query__
        if query is None:
            query = cls.__turbostar_all__
            for each in cls.__turbostar_scopes__.values():
                if each.default:
                    query = each.on(query)
            type.__setattr__(cls, "__turbostar_query__", query)
        return query

    @classmethod
    def filter(cls, *conditions: Condition | bool, **lookups: Any) -> Query[Self]:
        """Rows that meet all conditions: ``User.age >= 18``, or ``age__gte=18``."""
        return (cls.__turbostar_query__ or cls.__turbostar_start__()).filter(*conditions, **lookups)

    @classmethod
    def all(cls) -> Query[Self]:
        """All rows."""
        return cls.__turbostar_query__ or cls.__turbostar_start__()

    @classmethod
    def unscoped(cls) -> Query[Self]:
        """All rows, also those that the model's default scopes leave out."""
        return cls.__turbostar_all__

    @classmethod
    def exclude(cls, *conditions: Condition | bool, **lookups: Any) -> Query[Self]:
        """Rows that `filter` would leave out."""
        return cls.all().exclude(*conditions, **lookups)

    @classmethod
    def order(cls, *by: Any) -> Query[Self]:
        """All rows in an order; see `Query.order`."""
        return cls.all().order(*by)

    order_by = order

    @classmethod
    def limit(cls, count: int) -> Query[Self]:
        """So many rows."""
        return cls.all().limit(count)

    @classmethod
    def distinct(cls, *on: Any) -> Query[Self]:
        """See `Query.distinct`."""
        return cls.all().distinct(*on)

    @classmethod
    def only(cls, *fields: Any) -> Query[Self]:
        """See `Query.only`."""
        return cls.all().only(*fields)

    @classmethod
    def defer(cls, *fields: Any) -> Query[Self]:
        """See `Query.defer`."""
        return cls.all().defer(*fields)

    @classmethod
    def values(cls, *columns: Any, **named: Any) -> Query[dict[str, Any]]:
        """See `Query.values`."""
        return cls.all().values(*columns, **named)

    @classmethod
    def values_list(cls, *columns: Any, flat: bool = False) -> Query[Any]:
        """See `Query.values_list`."""
        return (
            cls.all().values_list(*columns, flat=True) if flat else cls.all().values_list(*columns)
        )

    @classmethod
    def into(cls, struct: type[S]) -> Query[S]:
        """See `Query.into`."""
        return cls.all().into(struct)

    @classmethod
    def group(cls, *by: Any, **named: Any) -> Grouped:
        """See `Query.group`."""
        return cls.all().group(*by, **named)

    @classmethod
    def load(cls, *relations: Any, joined: bool = False) -> Query[Self]:
        """See `Query.load`."""
        return cls.all().load(*relations, joined=joined)

    @classmethod
    def join(cls, table: Any, on: Condition | bool, *, left: bool = False) -> Query[Self]:
        """See `Query.join`."""
        return cls.all().join(table, on, left=left)

    @classmethod
    def peers(cls) -> Query[Self]:
        """See `Query.peers`."""
        return cls.all().peers()

    @classmethod
    def using(cls, database: Any) -> Query[Self]:
        """All rows, on this database."""
        return cls.all().using(database)

    @classmethod
    def stream(cls, chunk: int = 500) -> AsyncIterator[Self]:
        """All rows one by one; see `Query.stream`."""
        return cls.all().stream(chunk)

    @classmethod
    async def get(
        cls, *key: Any, lock: str | None = None, using: Any = None, **lookups: Any
    ) -> Self:
        """One row, by its key or by conditions; raises `NotFound` or `MultipleFound`."""
        found = await cls._found(key, lock, using, lookups)
        if found is None:
            told = [repr(each) for each in key]
            told += [f"{name}={value!r}" for name, value in lookups.items()]
            raise NotFound(f"there is no {cls.__name__} for {', '.join(told)}")
        return found

    @classmethod
    async def get_or_none(
        cls, *key: Any, lock: str | None = None, using: Any = None, **lookups: Any
    ) -> Self | None:
        """As `get`, and None where there is none."""
        return await cls._found(key, lock, using, lookups)

    @classmethod
    def _found(
        cls, key: tuple[Any, ...], lock: str | None, using: Any, lookups: dict[str, Any]
    ) -> Coroutine[Any, Any, Self | None]:
        query = cls.__turbostar_query__ or cls.__turbostar_start__()
        if not key and not lookups:
            raise QueryError(f"{cls.__name__}.get takes a key, conditions or look-ups")
        if (
            lock is None
            and not lookups
            and query is cls.__turbostar_all__
            and (type(key[0]) in _PLAIN or not isinstance(key[0], Expression))
        ):
            database = using if using is not None else database_of(cls)
            plan = writes_of(cls, database.dialect).get
            fetched: Coroutine[Any, Any, Self | None] = database.executor().fetch(
                plan.statement, plan.bind(persistence.given_key(cls, key)), plan.decode
            )
            return fetched
        if using is not None:
            query = query.using(using)
        if lock is not None:
            query = query.lock(lock)
        if key and not isinstance(key[0], Expression):
            fields = cls.__turbostar_table__.key
            given = persistence.given_key(cls, key)
            lookups = {**lookups, **{f.name: v for f, v in zip(fields, given, strict=True)}}
            key = ()
        return query.get_or_none(*key, **lookups)

    @classmethod
    def first(cls) -> Coroutine[Any, Any, Self | None]:
        """The row with the least key, or None."""
        return cls.all().first()

    @classmethod
    def count(cls) -> Coroutine[Any, Any, int]:
        """How many rows."""
        return cls.all().count()

    @classmethod
    def exists(cls, *conditions: Condition | bool, **lookups: Any) -> Coroutine[Any, Any, bool]:
        """Whether any row meets the conditions."""
        return cls.filter(*conditions, **lookups).exists()

    @classmethod
    def aggregate(cls, **named: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        """Aggregates over all rows."""
        return cls.all().aggregate(**named)
