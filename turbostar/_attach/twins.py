"""Classes that take the place of Starlette's where imports are swapped.

Starlette itself, and libraries that build upon it, go on making routes, requests and responses of
Starlette's own classes. An application that asks ``isinstance(request, Request)`` means these, too.
So for `isinstance` and `issubclass` a twin stands for its base; classes derived from it do not.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from typing import Any, Protocol

from turbostar._guard.compiled import all_changed

__all__ = ["Twin"]

#: What is looked at when something is compiled, of the classes of routers, routes and endpoints.
_COMPILED = frozenset(
    {"__await__", "__call__", "__getattr__", "__getattribute__", "__init__", "__setattr__"}
    | {"app", "dispatch", "endpoint", "handle", "matches", "methods", "name", "not_found"}
    | {"param_convertors", "path", "path_format", "path_regex", "routes", "url_path_for"}
)

_ProtocolMeta: Any = type(Protocol)


class Twin(_ProtocolMeta):  # type: ignore[misc]
    """The metaclass of turbostar's subclasses of Starlette's classes.

    It derives from the metaclass of protocols, and so from that of abstract classes: a class may
    have a twin, a protocol and an abstract class among its bases, as it may on Starlette. What no
    application can tell by other means stays as it is: the order in which methods are found, and
    what a class that derives from a twin is an instance of.

    Where a method of a twin is replaced, what was compiled before is out of date.
    """

    def __new__(
        metacls, name: str, bases: tuple[type, ...], names: dict[str, Any], /, **kwargs: Any
    ) -> Any:
        # As `type` does: a class that is made by a call belongs to the module of the caller. Where
        # a base is abstract on Starlette as well, `ABCMeta` has the say.
        if "__module__" not in names:
            metaclasses = {type(part) for base in bases for part in base.__mro__}
            module = sys._getframe(1).f_globals.get("__name__")
            if module is not None and not any(
                issubclass(one, ABCMeta) and not issubclass(one, Twin) for one in metaclasses
            ):
                names = {**names, "__module__": module}
        return super().__new__(metacls, name, bases, names, **kwargs)

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _COMPILED:
            all_changed()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        if name in _COMPILED:
            all_changed()

    def __instancecheck__(cls, instance: Any) -> bool:
        if "_turbostar_twin_of" in cls.__dict__:
            return bool(type.__instancecheck__(cls.__dict__["_turbostar_twin_of"], instance))
        if not hasattr(cls, "_is_protocol"):  # Python 3.11 takes it that all of its classes have it
            return bool(ABCMeta.__instancecheck__(cls, instance))
        return bool(super().__instancecheck__(instance))

    def __subclasscheck__(cls, subclass: Any) -> bool:
        if "_turbostar_twin_of" in cls.__dict__:
            # Not by `issubclass`: an abstract base asks all its subclasses, and so us again.
            return bool(type.__subclasscheck__(cls.__dict__["_turbostar_twin_of"], subclass))
        return bool(super().__subclasscheck__(subclass))
