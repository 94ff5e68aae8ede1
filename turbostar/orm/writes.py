"""Plans for single rows of a model: get, insert, update, delete."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from turbostar.orm.codegen import execute
from turbostar.orm.compiler.write import WriteCompiler
from turbostar.orm.declarations import Missing
from turbostar.orm.errors import OrmError, WrongValue
from turbostar.orm.fields import Field
from turbostar.orm.plans import Plan, assembled, first_of, touched
from turbostar.orm.rows import row_decoder, values_decoder
from turbostar.orm.table import Table

__all__ = ["Writes", "insert_values", "kept_values", "key_given", "writes_of"]


class Writes:
    """The plans for single rows of one model on one kind of database.

    Made when they are first used; `inserts` by which columns have no value, `updates` by the
    fields that are set.
    """

    def __init__(self, table: Table, dialect: Any) -> None:
        self.table = table
        self.dialect = dialect
        self.written = table.written
        self.computed = table.computed
        self.inserts: dict[int, tuple[Plan, tuple[Field, ...]]] = {}
        self.updates: dict[tuple[str, ...], Plan] = {}
        self.updates_told: dict[tuple[str, ...], Plan] = {}
        self.get = self._get()
        self.delete = self._delete()

    def shown(self) -> dict[str, str]:
        """The usual statements: what the database fills in is left out of the insert."""
        absent = sum(1 << n for n, field in enumerate(self.written) if field.by_database)
        names = tuple(field.name for field in self.written if not field.primary)
        plans = {"get": self.get, "insert": self.insert(absent)[0], "delete": self.delete}
        if names:
            plans["update"] = self.update(names)
        return {word: plan.statement.sql for word, plan in plans.items()}

    def _plan(self, compiler: WriteCompiler, text: str, word: str, **more: Any) -> Plan:
        return assembled(compiler, text, f"{word} of {self.table.model.__name__}", **more)

    def _get(self) -> Plan:
        compiler = WriteCompiler(self.dialect)
        text = compiler.select_row(self.table, list(self.table.fields.values()))
        decode = first_of(row_decoder(self.table, self.dialect))
        return self._plan(compiler, text, "get", decode=decode, writes=False, returns_rows=True)

    def _delete(self) -> Plan:
        compiler = WriteCompiler(self.dialect)
        text = compiler.delete_row(self.table)
        return self._plan(compiler, text, "delete", decode=touched, writes=True, returns_rows=False)

    def insert(self, absent: int) -> tuple[Plan, tuple[Field, ...]]:
        """The plan for a row that has no value in some columns, and what it returns.

        Args:
            absent: a bit for each of `written`, set if it has no value.
        """
        found = self.inserts.get(absent)
        if found is None:
            given = [(n, f) for n, f in enumerate(self.written) if not absent >> n & 1]
            returned = tuple(f for n, f in enumerate(self.written) if absent >> n & 1)
            returned = (*returned, *self.computed)
            compiler = WriteCompiler(self.dialect)
            text = compiler.insert(self.table, [field for _, field in given], returned)
            places = {index: number for index, (number, _) in enumerate(given)}
            text = renumbered(text, places)
            compiler.places = {places[n]: place for n, place in compiler.places.items()}
            decode = first_of(values_decoder(returned, self.dialect)) if returned else touched
            plan = self._plan(
                compiler, text, "insert", decode=decode, writes=True, returns_rows=bool(returned)
            )
            found = self.inserts[absent] = plan, returned
        return found

    def update(self, names: tuple[str, ...]) -> Plan:
        """The plan that sets these fields of one row."""
        found = self.updates.get(names)
        if found is None:
            found = self.updates[names] = self._update(names, self.computed)
        return found

    def update_told(self, names: tuple[str, ...]) -> Plan:
        """The same, which returns the key and the generated columns of the row, if it is there."""
        found = self.updates_told.get(names)
        if found is None:
            returned = [*self.table.key, *self.computed]
            found = self.updates_told[names] = self._update(names, returned)
        return found

    def _update(self, names: tuple[str, ...], returned: list[Field]) -> Plan:
        compiler = WriteCompiler(self.dialect)
        fields = [self.table.fields[name] for name in names]
        text = compiler.update_row(self.table, fields, returned)
        return self._plan(
            compiler, text, "update",
            decode=values_decoder(returned, self.dialect) if returned else touched,
            writes=True, returns_rows=bool(returned),
        )  # fmt: skip


def renumbered(text: str, numbers: dict[int, int]) -> str:
    """A text whose places have other numbers."""
    for old in sorted(numbers, reverse=True):  # upwards only, so that none is met twice
        text = text.replace(f"\0{old}\0", f"\0{numbers[old]}\0")
    return text


def writes_of(model: Any, dialect: Any) -> Writes:
    """The plans for single rows of a model."""
    made: dict[Any, Writes] = model.__turbostar_writes__
    found = made.get(dialect)
    if found is None:
        found = made[dialect] = Writes(model.__turbostar_table__, dialect)
    return found


def insert_values(table: Table) -> Any:
    """``values(o)``: which columns of an object have no value, and the values of all."""
    written = table.written
    namespace: dict[str, Any] = {"UNSET": UNSET}
    lines = ["def values(o):", "    absent = 0"]
    for number, field in enumerate(written):
        lines.append(f"    v{number} = o.{field.name}")
        if field.foreign is not None:
            namespace[f"key{number}"] = _key_from(table, field)
            namespace[f"peek{number}"] = table.model.__dict__[field.foreign.name].peek
            lines.append(f"    other = peek{number}(o)")
            lines.append(f"    if other is not UNSET or v{number} is UNSET:")
            lines.append(f"        v{number} = key{number}(o, other)")
        none = f" or v{number} is None" if field.auto else ""  # as others say `id=None`
        lines.append(f"    if v{number} is UNSET{none}:")
        lines.append(f"        absent |= {1 << number}")
    values = "".join(f"v{number}, " for number in range(len(written)))
    lines.append(f"    return absent, ({values})")
    source = "\n".join(lines) + "\n"
    return execute(source, "values", f"insert of {table.model.__name__}", namespace)


def kept_values(table: Table) -> Any:
    """``kept(o, values)``: whether an object still has the values that `insert_values` gave."""
    same = " and ".join(f"o.{f.name} is values[{n}]" for n, f in enumerate(table.written))
    source = f"def kept(o, values):\n    return {same}\n"
    return execute(source, "kept", f"look after insert of {table.model.__name__}", {})


def key_given(relation: Any, field: Field, other: Any) -> Any:
    """The value of a column of a foreign key, from the object that it is to refer to."""
    if not isinstance(other, relation.target):  # a key of another table's would be taken
        raise WrongValue(
            f"{relation} takes an object of {relation.target.__name__}, not one of"
            f" {type(other).__name__}; a key goes to {field}"
        )
    value = getattr(other, relation.remote[relation.local.index(field)].name)
    if value is UNSET:
        raise OrmError(f"{relation} has not been saved; save it first: it has no key yet")
    return value


def _key_from(table: Table, field: Field) -> Any:
    """The key of the object referred to, or what stands for it where there is none."""
    relation = field.foreign

    def key(instance: Any, other: Any) -> Any:
        value = None
        if other is UNSET:
            if field.by_database:
                return UNSET
            if not field.nullable:
                raise Missing(f"{field} needs a value: give {field.name} or {relation.name}")
        elif other is not None:
            value = key_given(relation, field, other)
        type(instance).__turbostar_set__(instance, field.name, value)
        return value

    return key
