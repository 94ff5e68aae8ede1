"""Classes as they are right now: what stands in a class, and what stands between two."""

from __future__ import annotations

import gc
import operator
from collections.abc import Sequence
from typing import Any

__all__ = ["are_same", "computes", "is_next", "method_of", "namespace"]

_OWN_MODULES = frozenset(
    f"turbostar.{name}" for name in ("applications", "middleware.exceptions", "routing")
)


def namespace(cls: type) -> Any:
    """Return the dictionary of a class, to be read only.

    It is the one behind ``vars(cls)``, where that can be had: asking it takes a third of the time
    of ``cls.name``, which looks at the metaclass first.
    """
    behind = gc.get_referents(vars(cls))
    return behind[0] if len(behind) == 1 and type(behind[0]) is dict else vars(cls)


def are_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether two sequences are of the very same objects.

    Not `==`: routes may be equal to each other, and wrapt's wrappers are to what they wrap.
    """
    return len(some) == len(others) and all(map(operator.is_, some, others))


def method_of(cls: type, name: str) -> Any:
    """What a class defines, itself or by a base, as it stands there; None if nothing does.

    Not ``cls.name``: some tools' wrappers bind anew at each look.
    """
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def computes(cls: type, base: type, names: frozenset[str]) -> bool:
    """Whether a class has a say in what is read of its instances by one of these names.

    As by a property. What stands in `base`, or in a class of turbostar's, does not count.
    """
    mro = cls.__mro__
    own = (part for part in mro[: mro.index(base)] if part.__module__ not in _OWN_MODULES)
    return any(not names.isdisjoint(vars(part)) for part in own)


def is_next(cls: type, child: type, base: type) -> bool:
    """Whether for `cls` the next class after `child` is its `base`, and no mixin stands between.

    A function that does not call ``super()`` must ask, or it would pass over the mixin's method.
    """
    mro = cls.__mro__
    return mro[mro.index(child) + 1] is base
