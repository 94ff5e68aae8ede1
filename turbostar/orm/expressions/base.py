"""Typed expressions and their operators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node, make, slot
from turbostar.orm.expressions.ordering import Ordering
from turbostar.orm.types import (
    BOOL,
    FLOAT,
    INT,
    JSON,
    STR,
    TIMEDELTA,
    ColumnType,
    array_of,
    type_of_annotation,
    type_of_value,
    unscaled,
)

__all__ = ["Condition", "Expression", "Ordering", "as_expression", "combined", "several"]

T = TypeVar("T")
S = TypeVar("S")


class Expression(msgspec.Struct, Generic[T], eq=False, frozen=True):
    """Something that the database computes for each row: a form and the values in it."""

    node: Node
    values: tuple[Any, ...] = ()

    # Comparisons

    def __eq__(self, other: T | Expression[Any] | None) -> Condition:  # type: ignore[override]
        if other is None:
            return self.is_null()
        return _compared(self, "=", other)

    def __ne__(self, other: T | Expression[Any] | None) -> Condition:  # type: ignore[override]
        if other is None:
            return self.is_not_null()
        return _compared(self, "<>", other)

    def __lt__(self, other: T | Expression[Any]) -> Condition:
        return _compared(self, "<", other)

    def __le__(self, other: T | Expression[Any]) -> Condition:
        return _compared(self, "<=", other)

    def __gt__(self, other: T | Expression[Any]) -> Condition:
        return _compared(self, ">", other)

    def __ge__(self, other: T | Expression[Any]) -> Condition:
        return _compared(self, ">=", other)

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise QueryError(
            "an expression has no truth value in Python; combine with & | ~ instead of and, or, not"
        )

    def is_null(self) -> Condition:
        """``IS NULL``; also ``== None``."""
        return Condition(make("is_null", self.node, True, type=BOOL), self.values)

    def is_not_null(self) -> Condition:
        """``IS NOT NULL``; also ``!= None``."""
        return Condition(make("is_null", self.node, False, type=BOOL), self.values)

    def is_distinct_from(self, other: T | Expression[Any] | None) -> Condition:
        """Not equal, where NULL equals NULL."""
        return _compared(self, "is distinct from", other)

    def in_(self, options: Iterable[Any] | Any) -> Condition:
        """One of some values, or of the rows of a query of one column.

        None among the values stands for NULL, which is in no list otherwise.
        """
        query = getattr(options, "__turbostar_subquery__", None)
        if query is not None:
            form, values = query()
            return Condition(make("in_query", self.node, form, type=BOOL), self.values + values)
        given = several(options)
        if any(option is None for option in given):
            rest = [option for option in given if option is not None]
            return combined("or", [self.in_(rest), self.is_null()])
        if self.node.kind == "json_path" and any(map(_is_number, given)):
            return combined("or", [self == option for option in given])
        kind = self.node.type.kind if self.node.type is not None else ""
        if kind == "bytes" or any(isinstance(option, Expression) for option in given):
            made = [as_expression(option, self.node.type) for option in given]
            nodes = tuple(option.node for option in made)
            values = tuple(value for option in made for value in option.values)
            return Condition(make("in_list", self.node, nodes, type=BOOL), self.values + values)
        item = (
            unscaled(self.node.type)
            if self.node.type
            else (type_of_value(given[0]) if given else STR)
        )
        form = make("in_values", self.node, slot(array_of(item), _label(self.node)), type=BOOL)
        return Condition(form, (*self.values, given))

    def not_in(self, options: Iterable[Any] | Any) -> Condition:
        """None of some values. NULL is left out in any case; `Query.exclude` keeps it."""
        return ~self.in_(options)

    def between(self, low: T | Expression[Any], high: T | Expression[Any]) -> Condition:
        """From `low` to `high`, both included."""
        first, last = as_expression(low, self.node.type), as_expression(high, self.node.type)
        return Condition(
            make("between", self.node, first.node, last.node, type=BOOL),
            self.values + first.values + last.values,
        )

    # Text

    def like(self, pattern: str | Expression[str]) -> Condition:
        """``LIKE``: ``%`` is any text, ``_`` one character, and each is itself after ``\\``."""
        return _matched(self, "like", pattern)

    def ilike(self, pattern: str | Expression[str]) -> Condition:
        """``LIKE`` without regard to case."""
        return _matched(self, "ilike", pattern)

    def contains(self, part: Any) -> Condition:
        """Text that has `part` in it, an array that has it as an item, JSON that contains it."""
        kind = self.node.type.kind if self.node.type is not None else "str"
        if kind == "array":
            assert self.node.type is not None
            item = as_expression(part, self.node.type.item)
            form = make("array_has", self.node, item.node, type=BOOL)
            return Condition(form, self.values + item.values)
        if kind == "json":
            item = as_expression(part, JSON)
            form = make("json_has", self.node, item.node, type=BOOL)
            return Condition(form, self.values + item.values)
        return _matched(self, "like", _literal(part, "%", "%"))

    def icontains(self, part: str) -> Condition:
        """Has `part` in it, without regard to case."""
        return _matched(self, "ilike", _literal(part, "%", "%"))

    def startswith(self, part: str) -> Condition:
        """Begins with `part`."""
        return _matched(self, "like", _literal(part, "", "%"))

    def istartswith(self, part: str) -> Condition:
        """Begins with `part`, without regard to case."""
        return _matched(self, "ilike", _literal(part, "", "%"))

    def endswith(self, part: str) -> Condition:
        """Ends with `part`."""
        return _matched(self, "like", _literal(part, "%", ""))

    def iendswith(self, part: str) -> Condition:
        """Ends with `part`, without regard to case."""
        return _matched(self, "ilike", _literal(part, "%", ""))

    def iexact(self, text: str) -> Condition:
        """Equals `text`, without regard to case."""
        return _matched(self, "ilike", _literal(text, "", ""))

    # Arithmetic

    def __add__(self, other: Any) -> Expression[T]:
        return _computed(self, "+", other)

    def __radd__(self, other: Any) -> Expression[T]:
        return _computed(as_expression(other, self.node.type, cast=True), "+", self)

    def __sub__(self, other: Any) -> Expression[T]:
        return _computed(self, "-", other)

    def __rsub__(self, other: Any) -> Expression[T]:
        return _computed(as_expression(other, self.node.type, cast=True), "-", self)

    def __mul__(self, other: Any) -> Expression[T]:
        return _computed(self, "*", other)

    def __rmul__(self, other: Any) -> Expression[T]:
        return _computed(as_expression(other, self.node.type, cast=True), "*", self)

    def __truediv__(self, other: Any) -> Expression[T]:
        return _computed(self, "/", other)

    def __mod__(self, other: Any) -> Expression[T]:
        return _computed(self, "%", other)

    def __neg__(self) -> Ordering:
        """Downwards, in `order`; for the negative number say ``0 - x``."""
        return self.desc()

    def concat(self, *others: Any) -> Expression[str]:
        """This text and others after it; NULL counts as empty."""
        parts = [self, *(as_expression(other, cast=True) for other in others)]
        form = make("function", "concat", tuple(part.node for part in parts), type=STR)
        return Expression(form, tuple(value for part in parts for value in part.values))

    # Parts and forms

    def __getitem__(self, key: str | int) -> Expression[Any]:
        """A value in JSON: ``User.data["tags"][0]``; an array's item, counted from 0."""
        kind = self.node.type.kind if self.node.type is not None else ""
        if kind == "array":
            assert self.node.type is not None
            return Expression(
                make("array_item", self.node, slot(INT, cast=True), type=self.node.type.item),
                (*self.values, key),
            )
        if kind != "json":
            raise QueryError(f"{self!r} is no JSON: it has no [{key!r}]")
        if type(key) is not int and (type(key) is not str or "\0" in key):
            raise QueryError(f"{self!r}[{key!r}]: JSON has text without NUL and numbers as keys")
        path = (key,) if self.node.kind != "json_path" else (*self.node.args[1], key)
        root = self.node if self.node.kind != "json_path" else self.node.args[0]
        return Expression(make("json_path", root, path, type=JSON), self.values)

    def as_type(self, python: type[S]) -> Expression[S]:
        """The same value, as another type: ``User.data["age"].as_type(int)``."""
        return Expression(make("cast", self.node, type=type_of_annotation(python)), self.values)

    def asc(self) -> Ordering:
        """Upwards, in `order`."""
        return Ordering(make("order", self.node, "asc", "", type=None), self.values)

    def desc(self) -> Ordering:
        """Downwards, in `order`; also ``-User.id``."""
        return Ordering(make("order", self.node, "desc", "", type=None), self.values)

    def __repr__(self) -> str:
        from turbostar.orm.expressions.shown import shown

        return shown(self.node, self.values)


class Condition(Expression[bool], eq=False, frozen=True):
    """An expression that is true or not (or NULL): what `filter` takes."""

    def __and__(self, other: Condition | bool) -> Condition:
        return combined("and", (self, other))

    def __or__(self, other: Condition | bool) -> Condition:
        return combined("or", (self, other))

    def __invert__(self) -> Condition:
        return Condition(make("not", self.node, type=BOOL), self.values)


def as_expression(
    value: Any, type: ColumnType | None = None, *, label: str = "", cast: bool = False
) -> Expression[Any]:
    """An expression as it is; the rows of a query of one column; any other value as a parameter."""
    if isinstance(value, Expression):
        return value
    query = getattr(value, "__turbostar_subquery__", None)
    if query is not None:
        form, values = query()
        return Expression(make("scalar_query", form, type=form.result_type), values)
    type = type and unscaled(type)
    if type is None or not _takes(type, value):
        type = type_of_value(value)
        cast = True
    return Expression(slot(type, label, cast=cast), (value,))


def _takes(type: ColumnType, value: Any) -> bool:
    """Whether a value may be sent as this type; what cannot be is sent as its own."""
    kind = type_of_value(value).kind
    if type.kind == "int":
        return kind not in ("float", "decimal")
    return not (type.kind in ("datetime", "date", "time") and kind == "timedelta")


def combined(word: str, parts: Iterable[Any]) -> Condition:
    """Conditions joined by ``and`` or ``or``."""
    conditions = [as_condition(part) for part in parts]
    if len(conditions) == 1:
        return conditions[0]
    nodes: list[Node] = []
    for each in conditions:
        if each.node.kind == word:
            nodes.extend(each.node.args)
        else:
            nodes.append(each.node)
    values = tuple(value for each in conditions for value in each.values)
    return Condition(make(word, *nodes, type=BOOL), values)


def as_condition(value: Any) -> Condition:
    """What `filter` was given, if it is a condition."""
    if isinstance(value, Condition):
        return value
    if isinstance(value, Expression) and (
        value.node.type is None or value.node.type.kind == "bool"
    ):
        return Condition(value.node, value.values)
    if isinstance(value, bool):
        raise QueryError(
            f"filter got {value}, which is no condition: is one side of the comparison a column?"
        )
    raise QueryError(f"filter takes conditions such as User.age >= 18, not {value!r}")


def _label(node: Node) -> str:
    return str(node.args[0]) if node.kind == "column" else ""


def _compared(left: Expression[Any], operator: str, other: Any) -> Condition:
    if left.node.kind == "json_path" and operator[0] in "<>" and operator != "<>":
        left = left.as_type(type_of_value(other).python)  # by its own order, not that of JSON
    right = as_expression(other, left.node.type, label=_label(left.node))
    if left.node.kind == "json_path" and _is_number(other):
        sides = [make("json_number", each.node, type=JSON) for each in (left, right)]
        form = make("compare", sides[0], operator, sides[1], type=BOOL)
        return Condition(form, left.values + right.values)
    return Condition(
        make("compare", left.node, operator, right.node, type=BOOL), left.values + right.values
    )


def several(options: Any) -> tuple[Any, ...]:
    """What `in_` was given that is no query."""
    if isinstance(options, str | bytes) or not isinstance(options, Iterable):
        raise QueryError(f"in_ takes several values, or a query, not {options!r}")
    return tuple(options)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matched(left: Expression[Any], word: str, pattern: Any) -> Condition:
    right = as_expression(pattern, STR, label=_label(left.node))
    return Condition(make(word, left.node, right.node, type=BOOL), left.values + right.values)


#: What has no arithmetic; SQLite would take its text for a number, or for 0.
_UNCOUNTABLE = ("str", "bytes", "uuid", "json", "array")


def _computed(left: Expression[Any], operator: str, other: Any) -> Expression[Any]:
    right = as_expression(other, left.node.type, label=_label(left.node))
    for each in (left, right):
        type = each.node.type
        type = type.item if type is not None and type.kind == "enum" else type
        kind = type.kind if type is not None else ""
        if kind not in _UNCOUNTABLE:
            continue
        if operator == "+" and kind == "str" and each is left:
            right = as_expression(other, STR, label=_label(left.node), cast=True)
            form = make("compute", left.node, "||", right.node, type=STR)
            return Expression(form, left.values + right.values)
        hint = {"str": "text joins by + or concat", "json": "say .as_type(int)"}.get(kind, "")
        raise QueryError(f"{kind} has no {operator!r} in {left!r}{hint and ': ' + hint}")
    kinds = {each.node.type.kind for each in (left, right) if each.node.type is not None}
    result = left.node.type
    if kinds == {"datetime"} and operator == "-":
        result = TIMEDELTA
    elif kinds == {"int", "float"}:
        result = FLOAT
    elif kinds == {"int", "decimal"} and right.node.type is not None:
        result = left.node.type if left.node.type and left.node.type.kind == "decimal" else None
        result = result or right.node.type
    return Expression(
        make("compute", left.node, operator, right.node, type=result), left.values + right.values
    )


def _literal(text: Any, before: str, after: str) -> Any:
    if not isinstance(text, str):
        raise QueryError(f"a text look-up takes str, not {text!r}")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{before}{escaped}{after}"
