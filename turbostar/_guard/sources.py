"""Is a function the library's own, and of a source that ours gives the same answers as?"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import logging
from types import FunctionType
from typing import Any

from turbostar._guard.table import BYPASSED, DEPENDENCIES, TABLE, Acceleration

__all__ = [
    "VERIFIED_RELEASES",
    "author_of",
    "fingerprint",
    "has_verified_release",
    "is_known",
    "is_stock",
    "is_verified",
    "may",
    "objection",
    "trusts",
    "within",
]

logger = logging.getLogger("turbostar")

_ENTRIES = {entry.target: entry for entry in TABLE}
_BYPASSED = {entry.target: entry for entry in BYPASSED}

#: Of each library in `TABLE`, the releases whose sources have the fingerprints there (a test
#: compares them), so that nothing need be hashed under them.
VERIFIED_RELEASES = {"starlette": frozenset({"1.10.0"})}

_NAMES = {"starlette": "Starlette"}


def has_verified_release(library: str) -> bool:
    """Whether the release of a library is one of which all sources were compared."""
    return _version(library) in VERIFIED_RELEASES.get(library, ())


def within(value: Any) -> Any:
    """The function of a property that can only be read; anything else as it is."""
    return value.fget if type(value) is property and not (value.fset or value.fdel) else value


def fingerprint(function: Any) -> str:
    """Return a short digest of the source of a function, or of a property's.

    Raises:
        OSError: the source is not there to read.
    """
    function = within(function)
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def objection(entry: Acceleration) -> str:
    """Say why our function may not stand in for the stock attribute; empty if it may."""
    owner = getattr(entry.module, entry.path.partition(".")[0], None)
    stock = vars(owner).get(entry.name) if owner is not None else None
    if stock is not None and stock is entry.replacement:
        return ""  # installed
    others = next(filter(None, map(_objection_to, DEPENDENCIES.get(entry.target, ()))), "")
    if entry.fingerprint is None:
        return (
            f"{entry.target} exists in {_release(entry.library)}" if stock is not None else others
        )
    if stock is None:
        return f"{entry.target} does not exist in {_release(entry.library)}"
    if not is_stock(stock, entry):
        return f"{entry.target} has been replaced by {author_of(stock)}"
    change = "" if has_verified_release(entry.library) else _change(entry, stock)
    return change or others


def _objection_to(target: str) -> str:
    """The objection to bypassing a function that one of ours takes the place of as well."""
    ours = _ENTRIES.get(target)
    entry = ours or _BYPASSED[target]
    value: Any = entry.module
    for name in entry.path.split("."):
        value = getattr(value, name, None)
    if value is None:
        return f"{entry.target} does not exist in {_release(entry.library)}"
    if ours is not None and value is ours.replacement:
        return ""
    if not is_stock(value, entry):
        return f"{entry.target} has been replaced by {author_of(value)}"
    return "" if has_verified_release(entry.library) else _change(entry, value)


def _change(entry: Acceleration, function: Any) -> str:
    try:
        known = fingerprint(function) == entry.fingerprint
    except (OSError, TypeError):
        return f"{entry.target} cannot be compared: its source is not there to read"
    return "" if known else f"{entry.target} has changed in {_release(entry.library)}"


def is_known(function: Any, base: type, name: str) -> bool:
    """Whether a function is Starlette's own for ``base.name``, of a known source, or ours for it.

    What has been wrapped or replaced by anybody else is not known, and must not be bypassed.
    """
    target = f"{base.__module__}:{base.__qualname__}.{name}"
    entry = _ENTRIES.get(target)
    if entry is not None and function is entry.replacement:
        return True
    stock = entry or _BYPASSED.get(target)
    return stock is not None and is_stock(function, stock) and _is_trusted(stock, function)


@functools.cache
def _is_trusted(entry: Acceleration, function: FunctionType) -> bool:
    reason = "" if has_verified_release(entry.library) else _change(entry, function)
    if reason:
        _log(reason)
    return not reason


def trusts(target: str) -> bool:
    """Whether a function that we bypass is of a known source, wherever it is defined."""
    reason = _objection_to(target)
    if reason:
        _log(reason)
    return not reason


def may(entry: Acceleration) -> bool:
    """Whether our function may stand in now; a refusal is logged, once for each reason."""
    reason = objection(entry)
    if reason:
        _log(reason)
    return not reason


@functools.cache
def _log(reason: str) -> None:
    logger.warning("%s: this part stays stock", reason)


def is_stock(value: Any, entry: Acceleration) -> bool:
    """Whether `value` is the very function that Starlette's module defines, and no wrapper."""
    value = within(value)
    return (
        type(value) is FunctionType  # a proxy of a function says that it is an instance
        and value.__globals__ is vars(entry.module)
        and value.__qualname__ == entry.path
        # Some tools leave the function in place and give it other code.
        and value.__code__.co_filename == entry.module.__file__
        and value.__code__.co_qualname == entry.path
    )


def is_verified(function: Any, module: Any) -> bool:
    """Whether a function is the module's own, in a release whose sources were all compared."""
    return (
        has_verified_release(module.__name__.partition(".")[0])
        and getattr(function, "__globals__", None) is vars(module)
        and type(function) is FunctionType
    )


def author_of(function: Any) -> str:
    """Name the module that a function was written in, whatever it pretends to be."""
    function = within(function)
    namespace = getattr(function, "__globals__", None)
    if type(function) is FunctionType and namespace is not None:
        return str(namespace.get("__name__", "an unknown module"))
    return type(function).__module__


def _version(library: str) -> str:
    return str(importlib.import_module(library).__version__)


def _release(library: str) -> str:
    return f"{_NAMES.get(library, library)} {_version(library)}"
