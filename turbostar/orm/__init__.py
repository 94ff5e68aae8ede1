"""An ORM whose models are msgspec Structs: rows become Structs, Structs become JSON."""

from turbostar.orm.database import Database
from turbostar.orm.errors import (
    CannotConnect,
    CheckViolation,
    ConnectionLost,
    DatabaseClosed,
    DatabaseError,
    DatabaseMissing,
    Deadlock,
    DriverMissing,
    ExclusionViolation,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    ModelError,
    MultipleFound,
    NotFound,
    NotLoaded,
    NotNullViolation,
    OrmError,
    PoolTimeout,
    QueryError,
    ReadOnly,
    SerializationFailure,
    StatementTimeout,
    TooManyQueries,
    TransactionError,
    UniqueViolation,
    WrongLoop,
    WrongPassword,
    WrongValue,
)
from turbostar.orm.expressions.base import Condition, Expression
from turbostar.orm.expressions.case import case, when
from turbostar.orm.expressions.columns import Column
from turbostar.orm.expressions.functions import (
    abs_ as abs,
    avg,
    coalesce,
    count,
    date_of,
    date_part,
    every,
    function,
    greatest,
    json_agg,
    least,
    length,
    lower,
    max_ as max,
    min_ as min,
    now,
    nullif,
    raw,
    replace,
    round_ as round,
    some,
    string_agg,
    substr,
    sum_ as sum,
    today,
    trim,
    trunc,
    upper,
    value,
)
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.expressions.subqueries import cte, excluded, exists, outer, scalar
from turbostar.orm.expressions.windows import (
    dense_rank,
    first_value,
    lag,
    last_value,
    lead,
    ntile,
    rank,
    row_number,
    window,
)
from turbostar.orm.fields import Check, Col, Index, Unique, col, pk
from turbostar.orm.model import Model
from turbostar.orm.query import Query
from turbostar.orm.relations.declared import Many, One, OptionalRef, Ref, fk, many, one, reverse
from turbostar.orm.scopes import scope, scope_with
from turbostar.orm.transactions import TransactionScope as Transaction

__all__ = [
    "CannotConnect", "Check", "CheckViolation", "Col", "Column", "Condition", "ConnectionLost",
    "Database", "DatabaseClosed", "DatabaseError", "DatabaseMissing", "Deadlock", "DriverMissing",
    "ExclusionViolation", "Expression", "ForeignKeyViolation", "Index", "IntegrityError",
    "LockNotAvailable", "Many", "Model", "ModelError", "MultipleFound", "NotFound", "NotLoaded",
    "NotNullViolation", "One", "OptionalRef", "Ordering", "OrmError", "PoolTimeout", "Query",
    "QueryError", "ReadOnly", "Ref", "SerializationFailure", "StatementTimeout", "TooManyQueries",
    "Transaction", "TransactionError", "Unique", "UniqueViolation", "WrongLoop", "WrongPassword",
    "WrongValue",
    "abs", "avg", "case", "coalesce", "col", "count", "cte", "date_of", "date_part", "dense_rank",
    "every", "excluded", "exists", "first_value", "fk", "function", "greatest", "json_agg", "lag",
    "last_value", "lead", "least", "length", "lower", "many", "max", "min", "now", "ntile",
    "nullif", "one", "outer", "pk", "rank", "raw", "replace", "reverse", "round", "row_number",
    "scalar", "scope", "scope_with", "some", "string_agg", "substr", "sum", "today", "trim",
    "trunc", "upper", "value", "when", "window",
]  # fmt: skip
