"""Which tables a SELECT reads, and what each is called in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turbostar.orm.compiler.dialect import Dialect
    from turbostar.orm.fields import Field
    from turbostar.orm.relations.relation import Relation
    from turbostar.orm.table import Table

__all__ = ["Names", "Scope"]


class Names:
    """Names of tables within one statement, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._count = 0

    def take(self, wanted: str) -> str:
        """This name if it is free, else ``t1``, ``t2`` and so on."""
        while wanted in self._taken:
            self._count += 1
            wanted = f"t{self._count}"
        self._taken.add(wanted)
        return wanted


class Scope:
    """One FROM and the joins that its columns ask for.

    Args:
        dialect: how names are quoted.
        names: of the whole statement.
        table: that it starts from.
        parent: the scope around it, whose columns it may use.
        prefix: the relations that lead to `table`, in a subquery made for a relation to many.
        boundary: it is that of a query of the user's own.
    """

    def __init__(
        self,
        dialect: Dialect,
        names: Names,
        table: Table,
        parent: Scope | None = None,
        prefix: tuple[Relation, ...] = (),
        *,
        boundary: bool = True,
    ) -> None:
        self.dialect = dialect
        self.names = names
        self.table = table
        self.parent = parent
        self.prefix = prefix
        self.boundary = boundary
        self.name = names.take(table.name)
        self.joins: list[str] = []
        self.extra: list[str] = []  # joins of common table expressions
        self.bare = False  # columns without the table's name, as in a compound's ORDER BY
        self._paths: dict[tuple[Relation, ...], tuple[str, bool]] = {}

    def owner_of(self, model: Any, path: tuple[Relation, ...]) -> Scope | None:
        """The scope, this one or one around it, that a column belongs to."""
        scope: Scope | None = self
        while scope is not None:
            if scope.prefix:
                if path[: len(scope.prefix)] == scope.prefix:
                    return scope
            elif scope.table.model is model:
                return scope
            scope = scope.parent
        return None

    def outside(self) -> Scope | None:
        """The scope around the query that this one belongs to."""
        scope: Scope = self
        while not scope.boundary and scope.parent is not None:
            scope = scope.parent
        return scope.parent

    def column(self, field: Field, path: tuple[Relation, ...]) -> str:
        """A column of this scope's table, or of one reached by relations from it."""
        relative = path[len(self.prefix) :]
        if relative and relative[-1].owns_key and field in relative[-1].remote:
            last = relative[-1]
            relative = relative[:-1]
            field = last.local[last.remote.index(field)]
        column = self.dialect.quote(field.column)
        if self.bare:
            return column
        return f"{self.dialect.quote(self.joined(relative))}.{column}"

    def column_at(self, field: Field, path: tuple[Relation, ...]) -> str:
        """A column of the table at the end of a path, which is joined for it."""
        return f"{self.dialect.quote(self.joined(path))}.{self.dialect.quote(field.column)}"

    def joined(self, path: tuple[Relation, ...]) -> str:
        """The name of the table at the end of a path, joined if it is not yet."""
        return self._joined(path)[0]

    def _joined(self, path: tuple[Relation, ...]) -> tuple[str, bool]:
        if not path:
            return self.name, False
        known = self._paths.get(path)
        if known is not None:
            return known
        before, outer = self._joined(path[:-1])
        relation = path[-1]
        outer = outer or relation.nullable or not relation.owns_key
        word = "left join" if outer else "join"
        if relation.through is not None:
            near, far = relation.through
            between = near.model.__turbostar_table__
            middle = self._join(word, between, before, relation.local, near.local)
            name = self._join(word, relation.table, middle, far.local, far.remote)
        else:
            name = self._join(word, relation.table, before, relation.local, relation.remote)
        self._paths[path] = (name, outer)
        return name, outer

    def _join(
        self, word: str, table: Table, left: str, mine: tuple[Field, ...], its: tuple[Field, ...]
    ) -> str:
        name = self.names.take(table.name)
        self.joins.append(
            f"{word} {self.source(table, name)} on {self.equal(left, mine, name, its)}"
        )
        return name

    def equal(self, left: str, mine: tuple[Field, ...], right: str, its: tuple[Field, ...]) -> str:
        """The condition that two tables' columns are equal."""
        quote = self.dialect.quote
        return " and ".join(
            f"{quote(right)}.{quote(b.column)} = {quote(left)}.{quote(a.column)}"
            for a, b in zip(mine, its, strict=True)
        )

    def source(self, table: Table, name: str) -> str:
        """A table in FROM, under a name."""
        text = self.dialect.table(table.name, table.schema)
        if name == table.name and table.schema is None:
            return text
        return f"{text} as {self.dialect.quote(name)}"

    @property
    def text(self) -> str:
        """What stands after FROM."""
        return " ".join([self.source(self.table, self.name), *self.joins, *self.extra])
