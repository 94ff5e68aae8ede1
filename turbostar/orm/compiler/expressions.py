"""From the form of an expression to SQL text."""

from __future__ import annotations

from typing import Any

from turbostar.orm.compiler.conditions import ConditionCompiler
from turbostar.orm.compiler.places import spread
from turbostar.orm.compiler.scopes import Scope
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType

__all__ = ["ExpressionCompiler"]


class ExpressionCompiler(ConditionCompiler):
    """Writes arithmetic, functions, aggregates, cases, windows and orderings."""

    def _compute(self, node: Node, base: int, scope: Scope) -> str:
        left, operator, right = node.args
        a = self._operand(left, base, scope)
        b = self._operand(right, base + left.size, scope)
        return str(self.dialect.computed(a, operator, b, left.type, right.type))

    def _cast(self, node: Node, base: int, scope: Scope) -> str:
        inner = node.args[0]
        if inner.kind == "json_path":
            root, path = inner.args
            return str(self.dialect.json_path(self.write(root, base, scope), path, node.type))
        return str(self.dialect.cast(self.write(inner, base, scope), node.type))

    def _json_path(self, node: Node, base: int, scope: Scope) -> str:
        root, path = node.args
        return str(self.dialect.json_path(self._operand(root, base, scope), path, node.type))

    def _json_number(self, node: Node, base: int, scope: Scope) -> str:
        return str(self.dialect.json_number(self.write(node.args[0], base, scope)))

    def _json_has(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in spread(node.args, base))
        return str(self.dialect.json_has(left, right))

    def _array_has(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in spread(node.args, base))
        return str(self.dialect.array_has(left, right))

    def _array_item(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in spread(node.args, base))
        return str(self.dialect.array_item(left, right))

    def _function(self, node: Node, base: int, scope: Scope) -> str:
        name, args = node.args
        texts = self.write_all(args, base, scope)
        return self.called(self.dialect.functions.get(name), name, texts)

    def _call(self, node: Node, base: int, scope: Scope) -> str:
        name, args = node.args
        return f"{name}({', '.join(self.write_all(args, base, scope))})"

    def called(self, template: Any, name: str, texts: list[str]) -> str:
        """A function of this name, as the dialect writes it."""
        if template is None:
            return f"{name}({', '.join(texts)})"
        if callable(template):
            return str(template(*texts))
        if "{*}" in template:
            return str(template).replace("{*}", ", ".join(texts))
        return str(template).format(*texts)

    def _raw(self, node: Node, base: int, scope: Scope) -> str:
        pieces, args = node.args
        texts = [*self.write_all(args, base, scope), ""]
        return "".join(piece + text for piece, text in zip(pieces, texts, strict=True))

    def _date_part(self, node: Node, base: int, scope: Scope) -> str:
        part, inner = node.args
        return str(self.dialect.date_part(part, self.moment(inner, base, scope)))

    def _trunc(self, node: Node, base: int, scope: Scope) -> str:
        unit, inner = node.args
        return str(self.dialect.truncated(unit, self._operand(inner, base, scope), inner.type))

    def moment(self, node: Node, base: int, scope: Scope) -> str:
        """A date or time, in UTC."""
        text = self._operand(node, base, scope)
        zoned = node.type is not None and node.type.kind == "datetime"
        return f"{text} at time zone 'UTC'" if zoned and self.dialect.has_arrays else text

    def _case(self, node: Node, base: int, scope: Scope) -> str:
        whens, other = node.args
        texts = ["case"]
        for condition, result in whens:
            texts.append(f"when {self.condition(condition, base, scope)}")
            base += condition.size
            texts.append(f"then {self.write(result, base, scope)}")
            base += result.size
        if other is not None:
            texts.append(f"else {self.write(other, base, scope)}")
        return " ".join([*texts, "end"])

    def _aggregate(self, node: Node, base: int, scope: Scope) -> str:
        name, distinct, inner, separator = node.args
        if inner is None:
            return "count(*)"
        text = ("distinct " if distinct else "") + self.write(inner, base, scope)
        texts = [text]
        if separator is not None:
            texts.append(self.write(separator, base + inner.size, scope))
        template = self.dialect.aggregates.get(name)
        written = self.called(template, name, texts)
        if name == "sum" and self.dialect.has_arrays and _is_int(node.type):
            return f"cast({written} as bigint)"
        return written

    def _filtered(self, node: Node, base: int, scope: Scope) -> str:
        aggregate, condition = node.args
        text = self.write(aggregate, base, scope)
        inner = self.condition(condition, base + aggregate.size, scope)
        if text.startswith("cast("):
            head, tail = text.rsplit(" as ", 1)
            return f"{head} filter (where {inner}) as {tail}"
        return f"{text} filter (where {inner})"

    def _window(self, node: Node, base: int, scope: Scope) -> str:
        inner, partition, order, frame = node.args
        text = self.write(inner, base, scope)
        base += inner.size
        words = []
        if partition:
            words.append("partition by " + ", ".join(self.write_all(partition, base, scope)))
            base += sum(each.size for each in partition)
        if order:
            words.append("order by " + ", ".join(self.write_all(order, base, scope)))
        if frame:
            words.append(frame)
        over = f" over ({' '.join(words)})"
        if text.startswith("cast("):
            head, tail = text.rsplit(" as ", 1)
            return f"{head}{over} as {tail}"
        return text + over

    def _order(self, node: Node, base: int, scope: Scope) -> str:
        inner, way, nulls = node.args
        text = self.write(inner, base, scope)
        if not nulls:
            # Alike on every database: NULL comes first, as SQLite has it.
            nulls = "first" if way == "asc" else "last"
            if not self._nullable(inner):
                nulls = ""
        if nulls and not (
            self.dialect.nulls_first and nulls == ("first" if way == "asc" else "last")
        ):
            return f"{text} {way} nulls {nulls}"
        return f"{text} {way}" if way == "desc" else text

    def _nullable(self, node: Node) -> bool:
        if node.kind != "column":
            return node.kind not in ("aggregate", "slot")
        field, path = node.args
        return bool(field.nullable or path)


def _is_int(type: ColumnType | None) -> bool:
    return type is not None and type.kind == "int"
