"""A relation of one model, ready for use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbostar.orm.annotations import Unresolved
from turbostar.orm.errors import ModelError
from turbostar.orm.relations.declared import RelationSpec
from turbostar.orm.table import Table, find_model, table_of

if TYPE_CHECKING:
    from turbostar.orm.fields import Field

__all__ = ["Relation"]


class Relation:
    """From one model to another.

    Args:
        model: where it is declared.
        name: its attribute.
        target: the other model, or a name for it.
        spec: what it was told.
        to_many: its value is a list.
        nullable: a foreign key that may be NULL.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        target: Any,
        spec: RelationSpec,
        *,
        to_many: bool,
        nullable: bool,
    ) -> None:
        self.model = model
        self.name = name
        self.spec = spec
        self.kind: str = spec.kind
        self.to_many = to_many
        self.nullable = nullable
        self.names: tuple[str, ...] = ()  # the fields that hold the key, for fk and one
        self._target = target
        self._columns: tuple[tuple[Field, ...], tuple[Field, ...]] | None = None
        self._through: tuple[Relation, Relation] | None = None
        self._made: Any = None

    @property
    def target(self) -> Any:
        """The other model."""
        if isinstance(self._target, Unresolved):
            self._target = self._target.name
        if isinstance(self._target, str):
            self._target = find_model(self._target, self.model, str(self))
        table_of(self._target)
        return self._target

    @property
    def table(self) -> Table:
        """The other model's table."""
        return table_of(self.target)

    @property
    def owns_key(self) -> bool:
        """The key is in this model's table."""
        return self.kind in ("fk", "one")

    @property
    def back(self) -> Relation:
        """For a reverse one, the relation that it is the way back of."""
        found = self.table.relations.get(self.spec.back)
        if found is None or found.kind == "reverse":
            known = [r.name for r in self.table.relations.values() if r.kind != "reverse"]
            raise ModelError(
                f"{self}: {self.target.__name__} has no foreign key {self.spec.back!r}"
                + (f"; it has {', '.join(known)}" if known else "")
            )
        if found.target is not self.model:
            raise ModelError(
                f"{self}: {found} leads to {found.target.__name__}, not to {self.model.__name__}"
            )
        return found

    @property
    def local(self) -> tuple[Field, ...]:
        """The fields of this model that the relation goes by."""
        return self._resolved()[0]

    @property
    def remote(self) -> tuple[Field, ...]:
        """The fields of the other model that equal them; of the table between, its near key."""
        return self._resolved()[1]

    def _resolved(self) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
        if self._columns is None:
            if self.owns_key:
                self._columns = self._of_key()
            elif self.through is not None:
                near, _ = self.through
                self._columns = (near.remote, near.local)
            else:
                back = self.back
                self._columns = (back.remote, back.local)
        return self._columns

    def _of_key(self) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
        mine = table_of(self.model)
        local = tuple(mine.field(name) for name in self.names)
        to = self.spec.to
        if to is None:
            remote = self.table.key
        else:
            remote = tuple(self.table.field(name) for name in ((to,) if type(to) is str else to))
        if len(local) != len(remote):
            names = ", ".join(field.name for field in remote)
            raise ModelError(
                f"{self}: the key of {self.target.__name__} is ({names}); "
                f"say fk(column=...) with {len(remote)} fields"
            )
        return local, remote

    @property
    def through(self) -> tuple[Relation, Relation] | None:
        """For many to many: the foreign keys of the table between, to here and to there."""
        if self._through is None:
            if self.kind == "many":
                self._through = self._find_through()
            elif self.kind == "reverse" and self.back.kind == "many":
                found = self.back.through
                assert found is not None
                self._through = (found[1], found[0])
        return self._through

    def _find_through(self) -> tuple[Relation, Relation]:
        between = self.spec.through
        if between is None:
            from turbostar.orm.relations.between import make_between

            self._made = between = make_between(self)  # the registry holds models weakly
        elif isinstance(between, str):
            between = find_model(between, self.model, str(self))
        table = table_of(between)
        near = self._key_in(table, self.model, self.spec.near, None)
        far = self._key_in(table, self.target, self.spec.far, near)
        return near, far

    def _key_in(self, table: Table, model: Any, name: str | None, other: Any) -> Relation:
        if name is not None:
            return table.relation(name)
        keys = [
            each
            for each in table.relations.values()
            if each.owns_key and each.target is model and each is not other
        ]
        if len(keys) == 1 or (keys and other is not None):
            return keys[0]
        if keys and self.model is self.target:
            return keys[0]
        word = "several foreign keys" if keys else "no foreign key"
        raise ModelError(
            f"{self}: {table.model.__name__} has {word} to {model.__name__}; "
            "say near= and far= in many()"
        )

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.name}"

    def __repr__(self) -> str:
        return f"<Relation {self}>"
