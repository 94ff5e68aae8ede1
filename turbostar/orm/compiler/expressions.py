"""From the form of an expression to SQL text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from turbostar.orm.compiler.scopes import Names, Scope
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.types import ColumnType

if TYPE_CHECKING:
    from turbostar.orm.compiler.dialect import Dialect
    from turbostar.orm.relations.relation import Relation

__all__ = ["ExpressionCompiler"]

_PLACE = re.compile("\0(\\d+)\0")


class ExpressionCompiler:
    """Writes the expressions of one statement.

    A value's place is first written as its number between two NULs, which no other text can have;
    `finish` puts placeholders there, in the order of the text.
    """

    def __init__(self, dialect: Dialect, names: Names | None = None) -> None:
        self.dialect: Any = dialect
        self.names = names or Names()
        #: By number of a value: how it is encoded.
        self.places: dict[int, tuple[ColumnType | None, str]] = {}

    def finish(self, text: str) -> tuple[str, list[int]]:
        """The statement, and for each of its parameters the number of its value."""
        order: list[int] = []

        def placed(match: re.Match[str]) -> str:
            number = int(match.group(1))
            if self.dialect.numbered and number in order:
                return str(self.dialect.placeholder(order.index(number) + 1))
            order.append(number)
            return str(self.dialect.placeholder(len(order)))

        return _PLACE.sub(placed, text), order

    def place(self, number: int, type: ColumnType | None, label: str, cast: bool = False) -> str:
        """The place of a value."""
        self.places[number] = (type, label)
        return str(self.dialect.slot(f"\0{number}\0", type, cast))

    def write(self, node: Node, base: int, scope: Scope) -> str:
        """An expression whose first value has the number `base`."""
        method = getattr(self, f"_{node.kind}", None)
        if method is None:
            raise QueryError(f"{node.kind} cannot stand here")
        return str(method(node, base, scope))

    def write_all(self, nodes: tuple[Node, ...], base: int, scope: Scope) -> list[str]:
        """Several expressions whose values follow each other."""
        texts = []
        for node in nodes:
            texts.append(self.write(node, base, scope))
            base += node.size
        return texts

    # Leaves

    def _slot(self, node: Node, base: int, scope: Scope) -> str:
        label, cast = node.args
        return self.place(base, node.type, label, cast)

    def _column(self, node: Node, base: int, scope: Scope) -> str:
        field, path = node.args
        owner = scope.owner_of(path[0].model if path else field.model, path)
        if owner is None:
            root = scope.table.model.__name__
            raise QueryError(
                f"{field} is not in a query of {root}: go to it by a relation, as in "
                f"{root}.relation.{field.name}"
            )
        return owner.column(field, path)

    def _outer(self, node: Node, base: int, scope: Scope) -> str:
        outside = scope.outside()
        if outside is None:
            raise QueryError("outer() stands in a query that is not inside of another one")
        return self.write(node.args[0], base, outside)

    def _output(self, node: Node, base: int, scope: Scope) -> str:
        return str(self.dialect.quote(node.args[0]))

    def _table_column(self, node: Node, base: int, scope: Scope) -> str:
        table, column = node.args
        return f"{self.dialect.quote(table)}.{self.dialect.quote(column)}"

    def _number(self, node: Node, base: int, scope: Scope) -> str:
        return str(int(node.args[0]))

    def _excluded(self, node: Node, base: int, scope: Scope) -> str:
        return f"excluded.{self.dialect.quote(node.args[0].column)}"

    # Conditions

    def _compare(self, node: Node, base: int, scope: Scope) -> str:
        left, operator, right = node.args
        a = self._operand(left, base, scope)
        b = self._operand(right, base + left.size, scope)
        if operator == "is distinct from" and self.dialect.name == "sqlite":
            operator = "is not"
        return f"{a} {operator} {b}"

    def _operand(self, node: Node, base: int, scope: Scope) -> str:
        text = self.write(node, base, scope)
        return f"({text})" if node.kind in _LOOSE else text

    def _is_null(self, node: Node, base: int, scope: Scope) -> str:
        inner, null = node.args
        return f"{self._operand(inner, base, scope)} is {'' if null else 'not '}null"

    def _not(self, node: Node, base: int, scope: Scope) -> str:
        return f"not ({self.condition(node.args[0], base, scope)})"

    def _not_true(self, node: Node, base: int, scope: Scope) -> str:
        return f"({self.condition(node.args[0], base, scope)}) is not true"

    def _and(self, node: Node, base: int, scope: Scope) -> str:
        return self._joined_by(" and ", node, base, scope)

    def _or(self, node: Node, base: int, scope: Scope) -> str:
        return self._joined_by(" or ", node, base, scope)

    def _joined_by(self, word: str, node: Node, base: int, scope: Scope) -> str:
        texts = []
        for part in node.args:
            text = self.condition(part, base, scope)
            texts.append(f"({text})" if part.kind in ("and", "or") else text)
            base += part.size
        return word.join(texts)

    def _between(self, node: Node, base: int, scope: Scope) -> str:
        left, low, high = (self._operand(*each, scope) for each in _spread(node.args, base))
        return f"{left} between {low} and {high}"

    def _matched(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in _spread(node.args, base))
        return str(self.dialect.matched(node.kind, left, right))

    _like = _ilike = _matched

    def _in_values(self, node: Node, base: int, scope: Scope) -> str:
        left, right = node.args
        a = self._operand(left, base, scope)
        place = self.place(base + left.size, right.type, right.args[0])
        return str(self.dialect.in_values(a, place, right.type))

    def _in_list(self, node: Node, base: int, scope: Scope) -> str:
        left, options = node.args
        if not options:
            return "1 = 0"
        texts = self.write_all(options, base + left.size, scope)
        return f"{self._operand(left, base, scope)} in ({', '.join(texts)})"

    def _in_query(self, node: Node, base: int, scope: Scope) -> str:
        left, shape = node.args
        inner = self.subquery(shape, base + left.size, scope)
        return f"{self._operand(left, base, scope)} in ({inner})"

    def _exists(self, node: Node, base: int, scope: Scope) -> str:
        return f"exists ({self.subquery(node.args[0], base, scope, existence=True)})"

    def _scalar_query(self, node: Node, base: int, scope: Scope) -> str:
        return f"({self.subquery(node.args[0], base, scope)})"

    def subquery(self, shape: Any, base: int, scope: Scope, *, existence: bool = False) -> str:
        """A query within this one."""
        raise NotImplementedError

    def condition(self, node: Node, base: int, scope: Scope) -> str:
        """A condition; what leads over a relation to many becomes EXISTS."""
        if not node.many or node.kind in ("or", "not", "not_true"):
            return self.write(node, base, scope)
        if node.kind != "and":
            path = _to_many(node, scope)
            return (
                self._over(path, [(node, base)], scope) if path else self.write(node, base, scope)
            )
        groups: dict[Any, list[tuple[Node, int]]] = {}
        for part, place in _spread(node.args, base):
            path = _to_many(part, scope) if part.kind not in ("or", "not", "not_true") else ()
            groups.setdefault(path or part, []).append((part, place))
        texts = []
        for key, parts in groups.items():
            if type(key) is tuple:
                texts.append(self._over(key, parts, scope))
            else:
                text = self.condition(*parts[0], scope)
                texts.append(f"({text})" if parts[0][0].kind == "or" else text)
        return " and ".join(texts)

    def _over(self, path: tuple[Relation, ...], parts: list[tuple[Node, int]], scope: Scope) -> str:
        """EXISTS: a related row, at the end of `path`, that meets all parts."""
        relation = path[-1]
        owner = scope.owner_of(path[0].model, path)
        assert owner is not None
        before = owner.joined(path[len(owner.prefix) : -1])
        inner = Scope(self.dialect, self.names, relation.table, scope, path, boundary=False)
        if relation.through is not None:
            near, far = relation.through
            table = near.model.__turbostar_table__
            middle = self.names.take(table.name)
            on = inner.equal(middle, far.local, inner.name, far.remote)
            inner.joins.append(f"join {inner.source(table, middle)} on {on}")
            link = inner.equal(before, relation.local, middle, near.local)
        else:
            link = inner.equal(before, relation.local, inner.name, relation.remote)
        texts = [link]
        for node, base in parts:
            text = self.condition(node, base, inner)
            texts.append(f"({text})" if node.kind == "or" else text)
        return f"exists (select 1 from {inner.text} where {' and '.join(texts)})"

    # Computed values

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

    def _json_has(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in _spread(node.args, base))
        return str(self.dialect.json_has(left, right))

    def _array_has(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in _spread(node.args, base))
        return str(self.dialect.array_has(left, right))

    def _array_item(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in _spread(node.args, base))
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
        return str(self.dialect.truncated(unit, self._operand(inner, base, scope)))

    def moment(self, node: Node, base: int, scope: Scope) -> str:
        """A date or time, in UTC."""
        text = self._operand(node, base, scope)
        zoned = node.type is not None and node.type.kind == "datetime"
        return f"{text} at time zone 'UTC'" if zoned and self.dialect.has_arrays else text

    def _case(self, node: Node, base: int, scope: Scope) -> str:
        whens, other = node.args
        texts = ["case"]
        for condition, result in whens:
            texts.append(f"when {self.write(condition, base, scope)}")
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


_LOOSE = frozenset(
    ["and", "or", "not", "compare", "compute", "between", "like", "ilike", "is_null", "in_values",
     "in_list", "in_query", "not_true", "case", "raw"]
)  # fmt: skip


def _is_int(type: ColumnType | None) -> bool:
    return type is not None and type.kind == "int"


def _spread(nodes: tuple[Any, ...], base: int) -> list[tuple[Node, int]]:
    """Each node with the number of its first value."""
    found = []
    for node in nodes:
        found.append((node, base))
        base += node.size
    return found


def _to_many(node: Node, scope: Scope) -> tuple[Relation, ...]:
    """The way to the first relation to many that this scope has not gone yet; () for none."""
    found: set[tuple[Relation, ...]] = set()

    def look(part: Any) -> None:
        if type(part) is tuple:
            for each in part:
                look(each)
        elif type(part) is Node and part.kind == "column":
            path = part.args[1]
            owner = scope.owner_of(path[0].model, path) if path else None
            start = len(owner.prefix) if owner is not None else 0
            for end in range(start, len(path)):
                if path[end].to_many:
                    found.add(path[: end + 1])
                    break
        elif type(part) is Node and part.kind not in ("exists", "scalar_query", "in_query"):
            look(part.args)

    look(node.args)
    if len(found) > 1:
        ways = " and ".join(".".join(r.name for r in path) for path in sorted(found, key=str))
        raise QueryError(f"one comparison goes over two relations to many, {ways}: split it")
    return found.pop() if found else ()
