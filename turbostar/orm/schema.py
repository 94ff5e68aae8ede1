"""CREATE TABLE and DROP TABLE for models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from turbostar.orm.compiler.scopes import Scope
from turbostar.orm.compiler.select import SelectCompiler
from turbostar.orm.engines.interface import Statement
from turbostar.orm.errors import ModelError
from turbostar.orm.fields import Field
from turbostar.orm.relations.relation import Relation
from turbostar.orm.table import Table, all_tables, table_of

__all__ = ["create_all", "create_statements", "drop_all", "drop_statements"]

# Whoever changes tables on PostgreSQL holds this advisory lock: a number of our own, "turbosta".
_LOCK = int.from_bytes(b"turbosta")


async def create_all(database: Any, models: Sequence[Any] = ()) -> None:
    """Creates the tables of models, and their indexes, where they are not there yet.

    Args:
        database: where.
        models: none for all models that are known.
    """
    await _execute(database, create_statements(database.dialect, models))


async def drop_all(database: Any, models: Sequence[Any] = ()) -> None:
    """Drops the tables of models, with all that is in them, where they are there."""
    await _execute(database, drop_statements(database.dialect, models))


async def _execute(database: Any, texts: list[str]) -> None:
    """Runs statements in one go: all of them, or none."""
    if database.kind != "sqlite":
        # Workers of one server start at once, and IF NOT EXISTS of PostgreSQL is no lock.
        texts = [f"select pg_advisory_xact_lock({_LOCK})", *texts]
    steps = [
        (Statement(sql=text, writes=True, returns_rows=False, cacheable=False), (), None)
        for text in texts
    ]
    await database.executor().unit(steps)


def create_statements(dialect: Any, models: Sequence[Any] = ()) -> list[str]:
    """The statements of `create_all`, those referred to first."""
    tables = _sorted(_tables(models))
    made = set()
    schemas = {table.schema for table in tables if table.schema is not None}
    texts = []
    if dialect.has_arrays:
        texts = [f"create schema if not exists {dialect.quote(name)}" for name in sorted(schemas)]
    for table in tables:
        made.add(table)
        texts.append(_create_table(table, dialect, made))
        texts += _indexes(table, dialect)
    for table in tables:
        texts += _late_keys(table, dialect, tables)
    return texts


def drop_statements(dialect: Any, models: Sequence[Any] = ()) -> list[str]:
    """The statements of `drop_all`, those that refer to others first."""
    tail = " cascade" if dialect.has_arrays else ""
    return [
        f"drop table if exists {dialect.table(table.name, table.schema)}{tail}"
        for table in reversed(_sorted(_tables(models)))
    ]


def _tables(models: Iterable[Any]) -> list[Table]:
    """The tables of the models, and those between them; the newest of several of one name."""
    given = [table_of(model) for model in models] or all_tables()
    found: dict[tuple[str | None, str], Table] = {}
    for table in given:
        if table.made_for is None or not models:
            found[(table.schema, table.name)] = table
    for table in list(found.values()):
        for relation in table.relations.values():
            if relation.kind == "many" and relation.through is not None:
                between = table_of(relation.through[0].model)
                found.setdefault((between.schema, between.name), between)
    return list(found.values())


def _sorted(tables: list[Table]) -> list[Table]:
    """Those referred to before those that refer to them, as far as there is such an order."""
    done: dict[Table, None] = {}
    waiting: set[Table] = set()

    def add(table: Table) -> None:
        if table in done or table in waiting:
            return
        waiting.add(table)
        for relation in table.relations.values():
            if relation.owns_key and relation.table in tables:
                add(relation.table)
        waiting.discard(table)
        done[table] = None

    for table in tables:
        add(table)
    return list(done)


def _create_table(table: Table, dialect: Any, made: set[Table]) -> str:
    lines = [column_text(field, dialect) for field in table.fields.values()]
    key = table.key
    if not (len(key) == 1 and key[0].auto and not dialect.has_arrays):
        columns = ", ".join(dialect.quote(field.column) for field in key)
        lines.append(f"constraint {_name(dialect, table, 'pkey')} primary key ({columns})")
    for field in table.fields.values():
        if field.spec.unique:
            lines.append(_unique(table, [field], dialect, None))
        if field.spec.check is not None:
            name = _name(dialect, table, f"{field.column}_check")
            lines.append(f"constraint {name} check ({_sql(field.spec.check, table, dialect)})")
    lines += _constraints(table, dialect)
    for relation in table.relations.values():
        if relation.owns_key and (relation.table in made or not dialect.has_arrays):
            lines.append(_foreign_key(table, relation, dialect))
        if relation.kind == "one":
            lines.append(_unique(table, relation.local, dialect, None))
    inner = ",\n    ".join(lines)
    target = dialect.table(table.name, table.schema)
    return f"create table if not exists {target} (\n    {inner}\n)"


def column_text(field: Field, dialect: Any) -> str:
    """A column as CREATE TABLE has it."""
    kind = field.spec.type or dialect.type_name(field.type, field.spec.length)
    words = [dialect.quote(field.column), kind]
    single = field.auto and len(field.model.__turbostar_table__.key) == 1
    if single and not dialect.has_arrays:
        words.append("primary key autoincrement")
        return " ".join(words)
    if single:
        words.append("generated by default as identity")
    if field.generated is not None:
        text = _sql(field.generated, field.model.__turbostar_table__, dialect)
        words.append(f"generated always as ({text}) stored")
    elif field.server_default is not None:
        text = _sql(field.server_default, field.model.__turbostar_table__, dialect)
        words.append(f"default ({text})")
    if not field.nullable or field.primary:
        words.append("not null")
    return " ".join(words)


def _sql(given: Any, table: Table, dialect: Any) -> str:
    """SQL text as it is; an expression with its values as literals."""
    if isinstance(given, str):
        return given
    if callable(given) and not hasattr(given, "node"):
        given = given(table.model)
    compiler = _Literal(dialect)
    scope = Scope(dialect, compiler.names, table)
    scope.bare = True
    text = compiler.write(given.node, 0, scope)
    for number, value in enumerate(given.values):
        text = text.replace(f"\0{number}\0", literal(value, dialect))
    return text


class _Literal(SelectCompiler):
    """Writes expressions for CREATE TABLE, where no parameter can stand."""


def literal(value: Any, dialect: Any) -> str:
    """A value as SQL text."""
    encoded = dialect.encode(value)
    if encoded is None:
        return "null"
    if isinstance(encoded, bool):
        return str(int(encoded)) if not dialect.has_arrays else str(encoded).lower()
    if isinstance(encoded, int | float):
        return repr(encoded)
    if isinstance(encoded, str) and "\0" not in encoded:
        return "'" + encoded.replace("'", "''") + "'"
    if dialect.has_arrays and not isinstance(encoded, bytes | list | str):
        return "'" + str(encoded).replace("'", "''") + "'"
    raise ModelError(f"{value!r} cannot stand in CREATE TABLE")


def _unique(table: Table, fields: Sequence[Field], dialect: Any, name: str | None) -> str:
    columns = ", ".join(dialect.quote(field.column) for field in fields)
    words = "_".join(field.column for field in fields)
    made = dialect.quote(name) if name else _name(dialect, table, f"{words}_key")
    return f"constraint {made} unique ({columns})"


def _name(dialect: Any, table: Table, suffix: str) -> str:
    """A constraint's name, at most 63 characters long, as PostgreSQL keeps them."""
    room = 62 - len(suffix)
    return str(dialect.quote(f"{table.name[: max(room, 1)]}_{suffix}"[:63]))


def _constraints(table: Table, dialect: Any) -> list[str]:
    lines = []
    for number, each in enumerate(table.constraints):
        if hasattr(each, "columns"):
            fields = [_field(table, name) for name in each.columns]
            lines.append(_unique(table, fields, dialect, each.name))
        else:
            made = _name(dialect, table, f"check{number}")
            name = dialect.quote(each.name) if each.name else made
            lines.append(f"constraint {name} check ({_sql(each.condition, table, dialect)})")
    return lines


def _field(table: Table, name: str) -> Field:
    relation = table.relations.get(name)
    if relation is not None and relation.owns_key and len(relation.local) == 1:
        return relation.local[0]
    return table.field(name)


def _foreign_key(table: Table, relation: Relation, dialect: Any) -> str:
    local = ", ".join(dialect.quote(field.column) for field in relation.local)
    remote = ", ".join(dialect.quote(field.column) for field in relation.remote)
    words = "_".join(field.column for field in relation.local)
    target = dialect.table(relation.table.name, relation.table.schema)
    text = (
        f"constraint {_name(dialect, table, f'{words}_fkey')} foreign key ({local}) "
        f"references {target} ({remote})"
    )
    for word, action in (("delete", relation.spec.on_delete), ("update", relation.spec.on_update)):
        if action not in ("cascade", "restrict", "set null", "set default", "no action"):
            raise ModelError(f"{relation}: there is no on_{word}={action!r}")
        if action != "no action":
            text += f" on {word} {action}"
    return text


def _late_keys(table: Table, dialect: Any, order: list[Table]) -> list[str]:
    """Foreign keys to tables that come later, as where two refer to each other (PostgreSQL)."""
    if not dialect.has_arrays:
        return []
    texts = []
    for relation in table.relations.values():
        if not relation.owns_key or relation.table not in order:
            continue
        if order.index(relation.table) > order.index(table):
            target = dialect.table(table.name, table.schema)
            text = f"alter table {target} add {_foreign_key(table, relation, dialect)}"
            if "$late$" in text:
                raise ModelError(f"{relation}: $late$ cannot be in a name")
            # There is no ADD CONSTRAINT IF NOT EXISTS.
            then = "exception when duplicate_object then null; end $late$"
            texts.append(f"do $late$ begin {text}; {then}")
    return texts


def _indexes(table: Table, dialect: Any) -> list[str]:
    texts = []
    for field in table.fields.values():
        if field.spec.index:
            using = field.spec.index if isinstance(field.spec.index, str) else None
            texts.append(_index(table, dialect, [field.column], [], using=using))
    for relation in table.relations.values():
        if relation.kind == "fk" and relation.spec.index:
            covered = table.key[: len(relation.local)] == relation.local
            if not covered and not any(field.spec.index for field in relation.local):
                names = [field.column for field in relation.local]
                texts.append(_index(table, dialect, names, []))
    for each in table.indexes:
        fields = [_field(table, name.removeprefix("-")) for name in each.columns]
        down = [name.startswith("-") for name in each.columns]
        where = None if each.where is None else _sql(each.where, table, dialect)
        texts.append(
            _index(
                table, dialect, [field.column for field in fields], down,
                where=where, unique=each.unique, name=each.name, using=each.using,
            )
        )  # fmt: skip
    return texts


def _index(
    table: Table,
    dialect: Any,
    columns: list[str],
    down: list[bool],
    *,
    where: str | None = None,
    unique: bool = False,
    name: str | None = None,
    using: str | None = None,
) -> str:
    made = dialect.quote(name) if name else _name(dialect, table, f"{'_'.join(columns)}_idx")
    texts = [
        dialect.quote(column) + (" desc" if number < len(down) and down[number] else "")
        for number, column in enumerate(columns)
    ]
    target = dialect.table(table.name, table.schema)
    if using is not None and not using.isidentifier():
        raise ModelError(f"{using!r} is no method of an index")
    method = f" using {using}" if using is not None and dialect.has_arrays else ""
    word = "unique index" if unique else "index"
    text = f"create {word} if not exists {made} on {target}{method} ({', '.join(texts)})"
    return text + (f" where {where}" if where is not None else "")
