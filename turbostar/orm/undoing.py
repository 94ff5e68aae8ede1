"""What objects go back to when the transaction that has written them is undone."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

__all__ = ["Written"]

#: So many objects are remembered before those that are gone are looked for.
_MANY = 1_000


class _Before:
    """One object: had it a row, under which key, and what was written since."""

    __slots__ = ("computed", "filled", "key", "names", "new", "ref")

    def __init__(self, instance: Any, key: tuple[Any, ...] | None) -> None:
        self.ref = weakref.ref(instance)  # a transaction of many rows keeps none of them alive
        self.new = key is None
        self.key = key
        self.names: set[str] = set()
        self.filled: set[str] = set()
        self.computed: dict[str, Any] = {}

    def undo(self) -> None:
        """Has the object want to be saved, as before."""
        instance = self.ref()
        if instance is None:
            return
        state = instance.__dict__
        put = type(instance).__turbostar_set__
        since = state.pop("_changed", None) or set()
        state.pop("_key", None)
        if self.new:
            for name in self.filled - since:
                put(instance, name, UNSET)
            put(instance, "_new", None)
            return
        for name, value in self.computed.items():
            if name not in since:
                put(instance, name, value)
        if changed := self.names | since:
            state["_changed"] = changed
        fields = type(instance).__turbostar_table__.key
        if tuple(getattr(instance, field.name) for field in fields) != self.key:
            state["_key"] = self.key
        put(instance, "_new", UNSET)


class Written:
    """The objects that a transaction has written so far."""

    def __init__(self) -> None:
        self._found: dict[int, _Before] = {}
        self._room = _MANY

    def inserted(self, instance: Any, filled: Iterable[str]) -> None:
        """It has got a row, and from the database the values of some columns."""
        before = self._before(instance, None)
        before.filled.update(filled)
        before.names.update(type(instance).__turbostar_table__.fields)

    def updated(
        self,
        instance: Any,
        key: tuple[Any, ...],
        names: Iterable[str],
        computed: dict[str, Any] | None = None,
    ) -> None:
        """Columns of its row were written, some by expressions that stood for their values."""
        before = self._before(instance, key)
        before.names.update(names)
        for name, value in (computed or {}).items():
            before.computed.setdefault(name, value)

    def _before(self, instance: Any, key: tuple[Any, ...] | None) -> _Before:
        found = self._found.get(id(instance))
        if found is None or found.ref() is not instance:
            found = self._found[id(instance)] = _Before(instance, key)
            if len(self._found) > self._room:
                self._found = {n: each for n, each in self._found.items() if each.ref() is not None}
                self._room = max(_MANY, 2 * len(self._found))
        return found

    def take(self, inner: Written) -> None:
        """A nested transaction has ended well: what it wrote belongs to this one."""
        for number, each in inner._found.items():
            mine = self._found.get(number)
            if mine is None or mine.ref() is None or mine.ref() is not each.ref():
                self._found[number] = each
            else:
                mine.names |= each.names
                mine.filled |= each.filled
                mine.computed = each.computed | mine.computed

    def undo(self) -> None:
        """The transaction was rolled back."""
        for each in self._found.values():
            each.undo()
        self._found.clear()
