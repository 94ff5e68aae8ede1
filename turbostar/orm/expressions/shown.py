"""Expressions and queries as people write them, for `repr` and messages: ``User.age >= 18``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from turbostar.orm.expressions.nodes import Node

__all__ = ["shown", "shown_conditions", "shown_query"]

#: So many characters of a value are shown.
_LONG = 80
_OPERATORS = {"=": "==", "<>": "!=", "||": "+"}
#: What is put into parentheses beside an operator.
_LOOSE = frozenset(["and", "or", "not", "compare", "compute"])


def shown(node: Node, values: tuple[Any, ...]) -> str:
    """An expression, with its values."""
    return _Text(iter(values)).of(node)


def shown_conditions(shape: Any, bound: tuple[Any, ...]) -> str:
    """What a query's rows must meet; empty if that is nothing."""
    if shape.compound:
        return ""
    return ", ".join(_part(part, bound) for part in shape.conditions)


def shown_query(shape: Any, bound: tuple[Any, ...]) -> str:
    """A query, as the calls that give it."""
    if shape.compound:
        first, *others = (
            shown_query(each, bound[place : place + each.size]) for _, each, place in shape.compound
        )
        word, _, every = shape.compound[-1][0].partition(" ")
        more = f"{', '.join(others)}{', all=True' if every else ''}"
        text = f"{first}.{'except_' if word == 'except' else word}({more})"
    else:
        found = shown_conditions(shape, bound)
        text = f"{shape.model.__name__}.{f'filter({found})' if found else 'all()'}"
    return text + "".join(f".{call}" for call in _calls(shape, bound))


def _calls(shape: Any, bound: tuple[Any, ...]) -> Iterator[str]:
    """What is said of a query beside its conditions."""
    if shape.only is not None:
        yield f"only({', '.join(str(field) for field in shape.only)})"
    if shape.joined:
        paths = (
            ".".join([path[0].model.__name__, *(r.name for r in path)]) for path in shape.joined
        )
        yield f"load({', '.join(paths)}, joined=True)"
    if shape.columns is not None:
        named = [
            f"{name}={_part(part, bound)}"
            for name, part in zip(shape.names, shape.columns, strict=True)
        ]
        if shape.groups:
            yield f"group({', '.join(named[: shape.groups])})"
            if shape.having:
                yield f"having({', '.join(_part(part, bound) for part in shape.having)})"
            yield f"aggregate({', '.join(named[shape.groups :])})"
        else:
            yield f"{'values_list' if shape.flat else 'values'}({', '.join(named)})"
    if shape.into is not None:
        yield f"into({shape.into.__name__})"
    for *_, name, _, _ in shape.table_joins:
        yield f"join({name})"
    if shape.distinct or shape.distinct_on:
        yield f"distinct({', '.join(_part(part, bound) for part in shape.distinct_on)})"
    if shape.ordering:
        yield f"order({', '.join(_part(part, bound) for part in shape.ordering)})"
    for word in ("limit", "offset"):
        place = getattr(shape, word)
        if place is not None:
            yield f"{word}({bound[place]!r})"
    if shape.lock:
        yield f"lock({shape.lock!r})"


def _part(part: tuple[Node, int], bound: tuple[Any, ...]) -> str:
    node, place = part
    return shown(node, bound[place : place + node.size])


class _Text:
    """One expression; its values are taken in their order."""

    def __init__(self, values: Iterator[Any]) -> None:
        self.values = values

    def of(self, node: Node) -> str:
        """The text of a form."""
        write = getattr(self, f"_{node.kind}", None)
        return self._called(node.kind, node.args) if write is None else str(write(*node.args))

    def _any(self, arg: Any) -> str:
        """An argument, whatever it is."""
        if type(arg) is Node:
            return self.of(arg)
        if type(arg) is tuple:
            return f"[{', '.join(self._any(each) for each in arg)}]"
        return _short(arg)

    def _called(self, name: str, args: tuple[Any, ...]) -> str:
        return f"{name}({', '.join(self._any(arg) for arg in args)})"

    def _operand(self, node: Node) -> str:
        text = self.of(node)
        return f"({text})" if node.kind in _LOOSE else text

    def _between_operands(self, left: Node, operator: str, right: Node) -> str:
        first, last = self._operand(left), self._operand(right)
        if operator.isidentifier() or " " in operator:
            return f"{first}.{operator.replace(' ', '_')}({last})"
        return f"{first} {_OPERATORS.get(operator, operator)} {last}"

    _compare = _compute = _between_operands

    def _query(self, shape: Any) -> str:
        bound = tuple(next(self.values) for _ in range(shape.size))
        return shown_query(shape, bound)

    # Leaves

    def _slot(self, label: str, cast: bool) -> str:
        return _short(next(self.values, ...))

    def _column(self, field: Any, path: tuple[Any, ...]) -> str:
        owner = path[0].model if path else field.model
        return ".".join([owner.__name__, *(relation.name for relation in path), field.name])

    def _output(self, name: str) -> str:
        return name

    def _table_column(self, table: str, column: str) -> str:
        return f"{table}.{column}"

    def _number(self, number: int) -> str:
        return str(number)

    def _excluded(self, field: Any) -> str:
        return f"excluded({field})"

    # Conditions

    def _is_null(self, inner: Node, null: bool) -> str:
        return f"{self._operand(inner)}.is_{'' if null else 'not_'}null()"

    def _not(self, inner: Node) -> str:
        return f"~({self.of(inner)})"

    def _not_true(self, inner: Node) -> str:
        return f"not ({self.of(inner)})"  # of `exclude`, which leaves no NULL over

    def _and(self, *parts: Node) -> str:
        return " & ".join(self._joined(part) for part in parts)

    def _or(self, *parts: Node) -> str:
        return " | ".join(self._joined(part) for part in parts)

    def _joined(self, part: Node) -> str:
        return f"({self.of(part)})" if part.kind in ("and", "or", "compare") else self.of(part)

    def _method(self, name: str, left: Node, *args: Any) -> str:
        first = self._operand(left)
        return f"{first}.{self._called(name, args)}"

    def _between(self, left: Node, low: Node, high: Node) -> str:
        return self._method("between", left, low, high)

    def _like(self, left: Node, pattern: Node) -> str:
        return self._method("like", left, pattern)

    def _ilike(self, left: Node, pattern: Node) -> str:
        return self._method("ilike", left, pattern)

    def _contains(self, left: Node, part: Node) -> str:
        return self._method("contains", left, part)

    _json_has = _array_has = _contains

    def _in_values(self, left: Node, options: Node) -> str:
        first = self._operand(left)
        return f"{first}.in_({_short(list(next(self.values, ())))})"

    def _in_list(self, left: Node, options: tuple[Node, ...]) -> str:
        return self._method("in_", left, options)

    def _in_query(self, left: Node, shape: Any) -> str:
        first = self._operand(left)
        return f"{first}.in_({self._query(shape)})"

    def _exists(self, shape: Any) -> str:
        return f"exists({self._query(shape)})"

    def _scalar_query(self, shape: Any) -> str:
        return f"scalar({self._query(shape)})"

    # What is computed

    def _cast(self, inner: Node) -> str:
        return self._operand(inner)

    def _json_number(self, inner: Node) -> str:
        return self.of(inner)

    def _json_path(self, root: Node, path: tuple[Any, ...]) -> str:
        return self._operand(root) + "".join(f"[{step!r}]" for step in path)

    def _array_item(self, left: Node, index: Node) -> str:
        first = self._operand(left)
        return f"{first}[{self.of(index)}]"

    def _function(self, name: str, args: tuple[Node, ...]) -> str:
        return self._called(name, args)

    _call = _function

    def _raw(self, pieces: tuple[str, ...], args: tuple[Node, ...]) -> str:
        return self._called("raw", ("{}".join(pieces), *args))

    def _case(self, whens: tuple[Any, ...], other: Node | None) -> str:
        arms = [f"when({self.of(condition)}, {self.of(then)})" for condition, then in whens]
        if other is not None:
            arms.append(f"default={self.of(other)}")
        return f"case({', '.join(arms)})"

    def _aggregate(self, name: str, distinct: bool, inner: Any, separator: Any) -> str:
        parts = [self.of(each) for each in (inner, separator) if each is not None]
        return f"{name}({', '.join([*parts, *(['distinct=True'] if distinct else [])])})"

    def _filtered(self, aggregate: Node, condition: Node) -> str:
        return self._method("filter", aggregate, condition)

    def _window(self, of: Node, partition: Any, order: Any, frame: str | None) -> str:
        first = self.of(of)
        words = [("partition", partition), ("order", order), ("frame", frame)]
        given = ", ".join(f"{word}={self._any(value)}" for word, value in words if value)
        return f"{first}.over({given})"

    def _order(self, inner: Node, way: str, nulls: str) -> str:
        text = self._operand(inner)
        if nulls:
            return f"{text}.{way}().nulls_{nulls}()"
        return f"-{text}" if way == "desc" else text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 3]}..."
