"""Decoders: functions from the rows of a driver to objects, dicts or tuples, made as source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from turbostar.orm.codegen import execute
from turbostar.orm.compiler.select import row_fields
from turbostar.orm.shapes import Shape

if TYPE_CHECKING:
    from turbostar.orm.compiler.dialect import Dialect
    from turbostar.orm.fields import Field
    from turbostar.orm.table import Table
    from turbostar.orm.types import ColumnType

__all__ = ["decoder_of", "row_decoder"]

Decode = Callable[[list[Any]], Any]


class _Source:
    """A list comprehension over rows, under way: names of a row's values, what it may use."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.names: list[str] = []
        self.namespace: dict[str, Any] = {"UNSET": UNSET}

    def value(self, type: ColumnType | None, *, stored: bool) -> str:
        """The text for the next value of a row, decoded."""
        name = f"v{len(self.names)}"
        self.names.append(name)
        if type is None or (stored and type.kind == "float"):
            return name
        decode = self.dialect.decoder(type)
        if decode is None:
            return name
        if decode is bool:
            return f"(None if {name} is None else {name} != 0)"
        self.namespace[f"d{name}"] = decode
        return f"(None if {name} is None else d{name}({name}))"

    def function(self, item: str, label: str) -> Decode:
        """``decode(rows)``, which gives a list of `item`."""
        target = ", ".join(self.names) + ("," if len(self.names) == 1 else "")
        lines = ["def decode(rows):", "    return [", f"        {item}"]
        source = "\n".join([*lines, f"        for {target} in rows", "    ]", ""])
        made: Decode = execute(source, "decode", f"rows of {label}", self.namespace)
        return made


def decoder_of(shape: Shape, dialect: Dialect) -> Decode:
    """The decoder for the rows of a query."""
    while shape.compound:
        shape = shape.compound[0][1]
    source = _Source(dialect)
    if shape.columns is None:
        tree: dict[Any, Any] = {}
        for path in shape.joined:
            tree.setdefault(path[:-1], []).append(path)
        texts: dict[Any, list[str]] = {}
        fields = row_fields(shape)
        texts[()] = [source.value(field.type, stored=True) for field in fields]
        for path in shape.joined:
            joined = path[-1].table.fields.values()
            texts[path] = [source.value(field.type, stored=True) for field in joined]
        item = _made(source, shape.model.__turbostar_table__, fields, (), tree, texts)
        return source.function(item, shape.model.__name__)
    values = [source.value(node.type, stored=node.kind == "column") for node, _ in shape.columns]
    names: Sequence[str] = shape.names
    if shape.into is not None:
        source.namespace["Into"] = shape.into
        pairs = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        return source.function(f"Into({pairs})", shape.into.__name__)
    if shape.flat == "one":
        return source.function(values[0], shape.model.__name__)
    if shape.flat:
        return source.function(f"({', '.join(values)},)", shape.model.__name__)
    pairs = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    return source.function(f"{{{pairs}}}", shape.model.__name__)


def row_decoder(table: Table, dialect: Dialect) -> Decode:
    """The decoder for rows with all columns of a model."""
    source = _Source(dialect)
    fields = list(table.fields.values())
    values = [source.value(field.type, stored=True) for field in fields]
    item = _made(source, table, fields, (), {}, {(): values})
    return source.function(item, table.model.__name__)


def _made(
    source: _Source,
    table: Table,
    fields: Sequence[Field],
    path: tuple[Any, ...],
    tree: dict[Any, Any],
    texts: dict[Any, list[str]],
) -> str:
    """The call that makes an object, and in it those of the relations that were joined."""
    name = f"Model{len([each for each in source.namespace if each.startswith('Model')])}"
    source.namespace[name] = table.model
    by_name = {field.name: text for field, text in zip(fields, texts[path], strict=True)}
    for inner in tree.get(path, ()):
        relation = inner[-1]
        its = list(relation.table.fields.values())
        made = _made(source, relation.table, its, inner, tree, texts)
        key = next(text for field, text in zip(its, texts[inner], strict=True) if field.primary)
        by_name[relation.name] = f"(None if {key} is None else {made})"
    arguments = [by_name.get(slot, "UNSET") for slot in table.slots if slot != "_new"]
    return f"{name}(UNSET, {', '.join(arguments)})"


def values_decoder(fields: Sequence[Field], dialect: Dialect) -> Decode:
    """The decoder for tuples of some columns, as RETURNING gives them."""
    source = _Source(dialect)
    values = [source.value(field.type, stored=True) for field in fields]
    return source.function(f"({', '.join(values)},)", "returned columns")
