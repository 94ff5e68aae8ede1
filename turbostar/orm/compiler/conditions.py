"""Conditions as SQL text; those over a relation to many become EXISTS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbostar.orm.compiler.places import PlaceCompiler, spread
from turbostar.orm.compiler.scopes import Scope
from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node

if TYPE_CHECKING:
    from turbostar.orm.relations.relation import Relation

__all__ = ["ConditionCompiler"]

#: So many conditions are joined in a row.
_LONG = 400


class ConditionCompiler(PlaceCompiler):
    """Writes comparisons, AND, OR, NOT and EXISTS."""

    def _compare(self, node: Node, base: int, scope: Scope) -> str:
        left, operator, right = node.args
        a = self._operand(left, base, scope)
        b = self._operand(right, base + left.size, scope)
        if operator == "is distinct from" and self.dialect.name == "sqlite":
            operator = "is not"
        return f"{a} {operator} {b}"

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
        while len(texts) > _LONG:  # SQLite takes no deeper a tree than 1,000
            pieces = [texts[start : start + _LONG] for start in range(0, len(texts), _LONG)]
            texts = [f"({word.join(piece)})" for piece in pieces]
        return word.join(texts)

    def _between(self, node: Node, base: int, scope: Scope) -> str:
        left, low, high = (self._operand(*each, scope) for each in spread(node.args, base))
        return f"{left} between {low} and {high}"

    def _matched(self, node: Node, base: int, scope: Scope) -> str:
        left, right = (self._operand(*each, scope) for each in spread(node.args, base))
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
        for part, place in spread(node.args, base):
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
