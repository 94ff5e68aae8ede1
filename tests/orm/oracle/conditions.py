"""Conditions of three faces: what `filter` takes, its keyword form, and what Python makes of a row.

Where NULL is compared, SQL answers neither true nor false; so does `truth`, by None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.orm.oracle.models import Thing

Truth = bool | None


@dataclass(frozen=True)
class Leaf:
    """One comparison of a field: `word` is the look-up's name in keywords."""

    field: str
    word: str
    value: Any

    def expression(self) -> Any:
        return EXPRESSIONS[self.word](column(self.field), self.value)

    def keyword(self) -> dict[str, Any]:
        path = self.field.replace(".", "__")
        return {path if self.word == "eq" else f"{path}__{self.word}": self.value}

    def truth(self, row: dict[str, Any], shelves: dict[int, dict[str, Any]]) -> Truth:
        if self.field == "shelf.label":
            shelf = shelves.get(row["shelf"]) if row["shelf"] is not None else None
            found = shelf["label"] if shelf else None
        else:
            found = row[self.field]
        return PREDICATES[self.word](found, self.value)

    def __repr__(self) -> str:
        return f"({self.field} {self.word} {self.value!r})"


@dataclass(frozen=True)
class Not:
    part: Any

    def expression(self) -> Any:
        return ~self.part.expression()

    def truth(self, row: dict[str, Any], shelves: dict[int, dict[str, Any]]) -> Truth:
        inner = self.part.truth(row, shelves)
        return None if inner is None else not inner


@dataclass(frozen=True)
class Both:
    left: Any
    right: Any

    def expression(self) -> Any:
        return self.left.expression() & self.right.expression()

    def truth(self, row: dict[str, Any], shelves: dict[int, dict[str, Any]]) -> Truth:
        found = {self.left.truth(row, shelves), self.right.truth(row, shelves)}
        return False if False in found else None if None in found else True


@dataclass(frozen=True)
class Either:
    left: Any
    right: Any

    def expression(self) -> Any:
        return self.left.expression() | self.right.expression()

    def truth(self, row: dict[str, Any], shelves: dict[int, dict[str, Any]]) -> Truth:
        found = {self.left.truth(row, shelves), self.right.truth(row, shelves)}
        return True if True in found else None if None in found else False


def column(field: str) -> Any:
    """`Thing.size`, or `Thing.shelf.label`."""
    found: Any = Thing
    for name in field.split("."):
        found = getattr(found, name)
    return found


def nulls(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Truth]:
    """A comparison that is unknown where the row has NULL."""
    return lambda found, value: None if found is None else compare(found, value)


def among(found: Any, values: list[Any]) -> Truth:
    """Whether it is one of them; NULL is surely none of no values."""
    if not values:
        return False
    return None if found is None else found in values


EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
    "between": lambda column, value: column.between(*value),
    "isnull": lambda column, value: column.is_null() if value else column.is_not_null(),
    "contains": lambda column, value: column.contains(value),
    "startswith": lambda column, value: column.startswith(value),
    "endswith": lambda column, value: column.endswith(value),
}
PREDICATES: dict[str, Callable[[Any, Any], Truth]] = {
    "eq": nulls(lambda found, value: found == value),
    "ne": nulls(lambda found, value: found != value),
    "lt": nulls(lambda found, value: found < value),
    "lte": nulls(lambda found, value: found <= value),
    "gt": nulls(lambda found, value: found > value),
    "gte": nulls(lambda found, value: found >= value),
    "in": among,
    "between": nulls(lambda found, value: value[0] <= found <= value[1]),
    "isnull": lambda found, value: (found is None) == value,
    "contains": nulls(lambda found, value: value in found),
    "startswith": nulls(lambda found, value: found.startswith(value)),
    "endswith": nulls(lambda found, value: found.endswith(value)),
}

# Few different values, so that rows are found; what SQL, LIKE and JSON take for something else.
TEXTS = ["", "a", "A", "ab", "%", "_", "\\", "a%b", "'", '"', "x' OR '1'='1", "ä", "💧", "$1", "?"]
NAMES = st.sampled_from(TEXTS) | st.text("ab%_\\'é", max_size=4)
SIZES = st.sampled_from([-1, 0, 1, 2, 3, 2**40, -(2**63), 2**63 - 1])
WEIGHTS = st.sampled_from([0.0, 0.5, -1.25, 1e300, 3.0])


def _leaves(field: str, values: st.SearchStrategy[Any], ordered: bool) -> st.SearchStrategy[Leaf]:
    options = [
        st.builds(Leaf, st.just(field), st.sampled_from(["eq", "ne"]), values),
        st.builds(Leaf, st.just(field), st.just("in"), st.lists(values, max_size=4)),
        st.builds(Leaf, st.just(field), st.just("isnull"), st.booleans()),
    ]
    if ordered:  # text is put in order by the database's own rules
        words = st.sampled_from(["lt", "lte", "gt", "gte"])
        options.append(st.builds(Leaf, st.just(field), words, values))
        options.append(
            st.builds(Leaf, st.just(field), st.just("between"), st.tuples(values, values))
        )
    else:
        words = st.sampled_from(["contains", "startswith", "endswith"])
        options.append(st.builds(Leaf, st.just(field), words, values))
    return st.one_of(options)


LEAVES = st.one_of(
    _leaves("name", NAMES, ordered=False),
    _leaves("size", SIZES, ordered=True),
    _leaves("weight", WEIGHTS, ordered=True),
    _leaves("shelf.label", NAMES, ordered=False),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: (
        st.builds(Not, parts) | st.builds(Both, parts, parts) | st.builds(Either, parts, parts)
    ),
    max_leaves=5,
)
