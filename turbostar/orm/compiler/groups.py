"""Columns beside aggregates: what is not grouped by has no one value, whatever SQLite gives."""

from __future__ import annotations

from typing import Any

from turbostar.orm.errors import QueryError
from turbostar.orm.expressions.nodes import Node
from turbostar.orm.shapes import Shape

__all__ = ["require_grouped", "require_selected"]

_AGGREGATES = ("aggregate", "filtered")
#: What has rows, or words, of its own, and is left to the database.
_APART = ("exists", "scalar_query", "in_query", "outer", "window", "raw")


def require_grouped(shape: Shape) -> None:
    """Raises `QueryError` for a column that is neither grouped by nor in an aggregate."""
    nodes = [node for node, _ in shape.columns or ()]
    having = [node for node, _ in shape.having]
    if not shape.groups and not having and not any(map(_aggregates, nodes)):
        return
    # One with values is no other's equal: PostgreSQL sees two parameters.
    columns = [node for node in nodes[: shape.groups] if not node.size]
    grouped = {_form(node): node for node in columns}
    for node in (*nodes[shape.groups :], *having):
        loose = _loose(node, grouped)
        if loose is not None:
            raise QueryError(
                f"{_told(loose)} is beside an aggregate: group by it, as in .group({_told(loose)})"
                ".aggregate(...), or take its min or max"
            )


def require_selected(shape: Shape) -> None:
    """Raises `QueryError` for an order of distinct rows by what they do not tell apart."""
    selected = {_form(node) for node, _ in shape.columns or ()}
    for order, _ in shape.ordering:
        node = order.args[0]
        if node.kind == "output" or (_form(node) in selected and not node.size):
            continue
        if shape.columns is None and node.kind == "column":
            field, path = node.args[:2]
            read = shape.only is None or field in shape.only
            if (read and not path) or path in shape.joined:
                continue
        name = f"by {_told(node)}" if node.kind == "column" else "by a computed value"
        raise QueryError(
            f"distinct rows cannot be ordered {name}, which they may have several of: select it,"
            " too"
        )


def _form(node: Any) -> Any:
    """A form that equals that of the same expression, made at another time."""
    if type(node) is Node:
        return (node.kind, *map(_form, node.args))
    return tuple(map(_form, node)) if type(node) is tuple else node


def _inner(node: Node) -> list[Node]:
    found: list[Node] = []

    def look(arg: Any) -> None:
        if type(arg) is Node:
            found.append(arg)
        elif type(arg) is tuple:
            for each in arg:
                look(each)

    look(node.args)
    return found


def _aggregates(node: Node) -> bool:
    return node.kind in _AGGREGATES or (
        node.kind not in _APART and any(map(_aggregates, _inner(node)))
    )


def _loose(node: Node, grouped: dict[Any, Node]) -> Node | None:
    """A column for which a group may have several values."""
    if _form(node) in grouped or node.kind in _AGGREGATES or node.kind in _APART:
        return None
    if node.kind == "column":
        return None if _by_key(node, grouped) else node
    if node.kind == "table_column":
        return node
    return next((found for each in _inner(node) if (found := _loose(each, grouped))), None)


def _by_key(column: Node, grouped: dict[Any, Node]) -> bool:
    """Its row is one for each group, for its whole key is grouped by."""
    field, path = column.args[:2]
    known = {
        each.args[0] for each in grouped.values() if each.kind == "column" and each.args[1] == path
    }
    return all(part in known for part in field.model.__turbostar_table__.key)


def _told(node: Node) -> str:
    return str(node.args[0] if node.kind == "column" else node.args[1])
