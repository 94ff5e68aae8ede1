"""The headers of a request, looked up without encoding the name anew each time."""

from __future__ import annotations

from typing import Any

import starlette.datastructures as stock
from starlette.types import Scope

from turbostar._guard.classes import namespace

__all__ = ["Headers", "headers_of"]

_MAX_NAMES = 512
_LONGEST_NAME = 64
#: Names of headers as they were asked for, in the form in which servers hand them over.
_names: dict[str, bytes] = {}

_new = object.__new__
_stock_headers = namespace(stock.Headers)
_METHODS = ("__init__", "__getitem__", "__contains__", "get")
_seen = [_stock_headers.get(name) for name in _METHODS]
_a, _b, _c, _d = _seen


def _encoded(name: Any) -> bytes:
    encoded: bytes = name.lower().encode("latin-1")
    if type(name) is str and len(name) <= _LONGEST_NAME and len(_names) < _MAX_NAMES:
        _names[name] = encoded
    return encoded


class Headers(stock.Headers):
    """Starlette's Headers, of which those of a request are an instance."""

    def __getitem__(self, key: str) -> str:
        wanted = (_names.get(key) if type(key) is str else None) or _encoded(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Stand in for ``Mapping.get``: the first value of this name, whatever its case."""
        wanted = (_names.get(key) if type(key) is str else None) or _encoded(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        return default

    def __contains__(self, key: Any) -> bool:
        wanted = (_names.get(key) if type(key) is str else None) or _encoded(key)
        for name, _ in self._list:  # noqa: SIM110 - a generator would take twice the time
            if name == wanted:
                return True
        return False


def headers_of(scope: Scope) -> Headers | None:
    """Return what ``Headers(scope=scope)`` does; None where that must be asked."""
    if (
        _stock_headers["__init__"] is not _a
        or _stock_headers["__getitem__"] is not _b
        or _stock_headers["__contains__"] is not _c
        or "get" in _stock_headers
    ):
        return None
    headers = _new(Headers)
    headers._list = scope["headers"] = list(scope["headers"])
    return headers
