"""Mirrors: how ``turbostar.x`` stands for ``starlette.x``.

A module in which turbostar replaces nothing *is* Starlette's own module object, so identity,
deprecation warnings, and tests that patch a global of it all work as on stock. A module in which
turbostar replaces something forwards every other name to Starlette's module, in both directions:
what is patched there is seen here, and what is set here arrives there.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from turbostar._attach.kill_switch import DISABLED

__all__ = ["mirror", "public_names"]


def public_names(module: ModuleType) -> list[str]:
    """Return what ``from module import *`` would import."""
    try:
        return list(module.__all__)
    except AttributeError:
        return [name for name in vars(module) if not name.startswith("_")]


class MirrorModule(ModuleType):
    """A module that answers for the names it does not define with those of its Starlette twin."""

    __stock__: ModuleType
    __replaced__: frozenset[str]
    __patched__: dict[str, Any]
    __followed__: dict[str, tuple[Any, Any]]

    def __getattr__(self, name: str) -> Any:
        if name in self.__followed__:
            ours, theirs = self.__followed__[name]
            current = getattr(self.__stock__, name)
            return ours if current is theirs else current
        if name == "__all__":  # makes `from turbostar.x import *` bring in the whole module
            return public_names(self.__stock__)
        try:
            return getattr(self.__stock__, name)
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if not self._is_forwarded(name) or isinstance(value, ModuleType):
            super().__setattr__(name, value)
            return
        self.__patched__.setdefault(name, getattr(self.__stock__, name))
        setattr(self.__stock__, name, value)

    def __delattr__(self, name: str) -> None:
        # A patching tool that finds the name absent from our __dict__ undoes by deleting it.
        if name in self.__patched__:
            setattr(self.__stock__, name, self.__patched__.pop(name))
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *vars(self.__stock__)})

    def _is_forwarded(self, name: str) -> bool:
        return (
            name not in self.__replaced__
            and not (name.startswith("__") and name.endswith("__"))
            and hasattr(self.__stock__, name)
        )


def mirror(name: str, *replaced: str, follow: tuple[str, ...] = ()) -> None:
    """Make the module called `name` the mirror of its Starlette twin; call it last in the module.

    Args:
        name: the module's own ``__name__``, such as ``turbostar.responses``.
        replaced: the names in which it differs from Starlette. With none, or under the kill
            switch, the module in ``sys.modules`` becomes Starlette's own.
        follow: those of the replaced names that tracers put classes of their own under, in
            Starlette's module; once they have, ours gives way to theirs.

    Raises:
        ModuleNotFoundError: the installed Starlette has no such module.
    """
    stock = importlib.import_module("starlette" + name.removeprefix("turbostar"))
    module = sys.modules[name]
    # A package keeps a module of its own, for the import system finds its submodules through it.
    if not hasattr(module, "__path__") and (DISABLED or not replaced):
        sys.modules[name] = stock
        return
    module.__stock__ = stock  # type: ignore[attr-defined]
    module.__replaced__ = frozenset(replaced)  # type: ignore[attr-defined]
    module.__patched__ = {}  # type: ignore[attr-defined]
    module.__followed__ = {  # type: ignore[attr-defined]
        name: (vars(module).pop(name), getattr(stock, name)) for name in follow
    }
    module.__class__ = MirrorModule
