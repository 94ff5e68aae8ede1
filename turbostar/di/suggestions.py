"""What to do where nothing provides what is asked for or overridden: the repairs of errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from turbostar.di.keys import Key, show
from turbostar.di.providers import Provider

__all__ = ["to_override", "to_provide"]

Provided = Mapping[Any, Sequence[Provider]]


def to_provide(key: Key, by_type: Provided) -> str:
    """The repair where a key is asked for.

    Args:
        key: which nothing provides.
        by_type: what is provided, by type.
    """
    shown = show(key.type)
    if names := _names(key, by_type):
        meant = " or ".join(f"Named({name!r})" for name in names)
        return f"ask for it by name, with Annotated[{shown}, {meant}]"
    repair = "add a provider for it, or give the parameter a default"
    kin = [each for each in by_type if isinstance(each, type) and key.type in each.__mro__]
    if kin:
        return f"{repair}; say provides={shown} where {show(kin[0])} is added"
    if key.name is None and getattr(key.type, "__module__", None) == "builtins":
        return (
            f"say which {shown} is meant, by Annotated[{shown}, Named(...)] or a class of its own, "
            "or give the parameter a default; what a handler takes from its request is named as in "
            f"the path, or annotated as Query[{shown}] or Body[{shown}]"
        )
    return repair + _near(key, by_type)


def to_override(key: Key, by_type: Provided) -> str:
    """The repair where a key is overridden; arguments as of `to_provide`."""
    shown = show(key.type)
    if names := _names(key, by_type):
        pairs = " or ".join(f"({shown}, {name!r})" for name in names)
        return f"override it by type and name, as {pairs}"
    made = [
        show(each.provides) for same in by_type.values() for each in same if each.target is key.type
    ]
    if made:
        return f"override {made[0]}, under which {shown} is provided"
    return "override the type under which it is provided" + _near(key, by_type)


def _names(key: Key, by_type: Provided) -> list[str]:
    return [each.name for each in by_type.get(key.type, ()) if each.name is not None]


def _near(key: Key, by_type: Provided) -> str:
    shown = {show(each): each for each in by_type}
    close = difflib.get_close_matches(show(key.type), shown, 1, 0.6)
    return f"; did you mean {close[0]}?" if close else ""
