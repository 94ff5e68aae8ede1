"""Whether a middleware is as Starlette made it: asked by every request, and seldom looked into.

The fast path of a middleware bypasses methods of its class, and of other classes that these
use. All of them must be Starlette's own: not those of a subclass, nor an attribute of the one
instance, nor what a tracer has put in their place. That is looked into once for each middleware,
and again when an attribute was added to it. That a method of its class was replaced in
the meantime the fast path notices itself, by comparing; for the rest see `patches.look_closely`.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Iterable
from typing import Any

from turbostar._guard.classes import are_same
from turbostar._guard.compiled import Compiled
from turbostar._guard.sources import (
    fingerprint,
    has_verified_release,
    is_known,
    is_stock,
    trusts,
)
from turbostar._guard.table import Acceleration

__all__ = ["ATTRIBUTE", "Checked", "Requirements"]

#: What a middleware's `Checked` is kept under, among its attributes.
ATTRIBUTE = "_turbostar_checked"


class Checked(Compiled):
    """What was found out about one middleware.

    Attributes:
        is_plain: whether it may go the fast path.
        is_stale: whether that must be found out anew.
        size: how many attributes the middleware had then: one more might hide a method.
        memo: whatever the fast path wants to keep.
    """

    __slots__ = ("found", "is_known", "is_plain", "memo", "size")

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.is_plain = False
        self.memo: Any = None
        self.found: list[Any] = []  # the functions, and
        self.is_known = False  # whether they are Starlette's own


class Requirements:
    """What must be Starlette's own for the middleware of a class to go the fast path.

    Args:
        base: Starlette's class.
        methods: of its methods, those that the fast path bypasses.
        static: of its static methods, with the fingerprints of their sources.
        others: methods and properties of other classes: the class and the name.
        names: attributes of modules and classes, and where they are defined, as ``module:name``.
    """

    def __init__(
        self,
        base: Any,
        methods: Iterable[str] = (),
        static: Iterable[tuple[str, str]] = (),
        others: Iterable[tuple[Any, str]] = (),
        names: Iterable[tuple[Any, str, str]] = (),
    ) -> None:
        self._base = base
        self._methods = tuple(methods)
        self._static = tuple(static)
        self._others = tuple(others)
        self._names = tuple(names)
        self._hiding = {*self._methods, *(name for name, _ in self._static)}

    def are_met(self, middleware: Any) -> bool:
        """Whether nothing of it was overridden or replaced; looked into until something changes."""
        values = middleware.__dict__
        checked: Checked | None = values.get(ATTRIBUTE)
        if checked is None or checked.is_stale or checked.size != len(values):
            checked = self.check(middleware)
        return checked.is_plain

    def check(self, middleware: Any) -> Checked:
        """Look into a middleware, and keep with it what was found."""
        values = vars(middleware)
        old: Checked = values.get(ATTRIBUTE) or Checked()
        checked = values[ATTRIBUTE] = Checked()
        checked.memo = old.memo
        checked.found = found = self._found(type(middleware))
        if are_same(found, old.found):
            checked.is_known = old.is_known
        else:
            checked.is_known = self._is_known(type(middleware))
        checked.is_plain = checked.is_known and self._hiding.isdisjoint(values)
        checked.size = len(values)
        return checked

    def _found(self, cls: Any) -> list[Any]:
        """All that is bypassed, as it is now."""
        functions = [getattr(cls, name, None) for name in (*self._methods, *dict(self._static))]
        functions += [getattr(owner, name, None) for owner, name in self._others]
        # Some tools leave the function in place and give it other code.
        codes = [getattr(function, "__code__", None) for function in functions]
        return [*functions, *codes, *(getattr(*place[:2], None) for place in self._names)]

    def _is_known(self, cls: Any) -> bool:
        return (
            all(is_known(getattr(cls, name, None), self._base, name) for name in self._methods)
            and all(_is_own(getattr(cls, of[0], None), self._base, *of) for of in self._static)
            and all(_is_inherited(owner, name) for owner, name in self._others)
            and all(_is_defined(getattr(*place[:2], None), place[2]) for place in self._names)
        )


def _is_inherited(owner: Any, name: str) -> bool:
    """`is_known` of a member of a class, wherever that has it from."""
    definer = next((base for base in owner.__mro__ if name in vars(base)), owner)
    return is_known(getattr(owner, name, None), definer, name)


def _is_own(function: Any, owner: Any, name: str, digest: str) -> bool:
    """`is_known` of a static method, which has no row in the table."""
    entry = Acceleration(f"{owner.__module__}:{owner.__qualname__}.{name}", "", digest)
    if not is_stock(function, entry):
        return False
    try:
        return has_verified_release(entry.library) or fingerprint(function) == digest
    except OSError:
        return False  # there is no source to compare


def _is_defined(value: Any, target: str) -> bool:
    """Whether a value is the function or class that is defined as ``module:name``."""
    module, _, path = target.partition(":")
    try:
        found = operator.attrgetter(path)(importlib.import_module(module))
    except AttributeError:
        return False  # no longer
    if value is not found:
        return False
    if isinstance(value, type):
        # A wrapper says that it is a class, and a class derived from it may go by the same name.
        names = [(one.__module__, one.__qualname__) for one in value.__mro__]
        is_class = issubclass(type(value), type)
        return is_class and names[0] == (module, path) and (module, path) not in names[1:]
    return not module.startswith("starlette") or trusts(target)
