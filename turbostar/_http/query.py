"""The parameters of a query string, parsed as ``urllib.parse.parse_qsl`` parses them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import starlette.datastructures as stock
from starlette.datastructures import ImmutableMultiDict, QueryParams

from turbostar._guard.classes import namespace

__all__ = ["parameters", "query_params"]

late: Any = stock  # for names that are looked up when they are used, as stock does

_new = object.__new__
_params = namespace(QueryParams)
_multi_dict = namespace(ImmutableMultiDict)
_stock_init = QueryParams.__init__
_stock_multi_dict_init = ImmutableMultiDict.__init__


def query_params(query: bytes) -> QueryParams | None:
    """Return what ``QueryParams(query)`` does; None where that must be asked."""
    if (
        type(query) is not bytes
        or _params["__init__"] is not _stock_init
        or _multi_dict["__init__"] is not _stock_multi_dict_init
        or late.parse_qsl is not parse_qsl
    ):
        return None
    params = _new(QueryParams)
    params._list = pairs = parameters(query.decode("latin-1"))
    params._dict = dict(pairs)
    return params


def parameters(query: str) -> list[tuple[str, str]]:
    """Return what ``parse_qsl(query, keep_blank_values=True)`` does."""
    if "+" in query:
        query = query.replace("+", " ")
    is_quoted = "%" in query
    pairs = []
    for field in query.split("&"):
        if field:
            name, _, value = field.partition("=")
            pairs.append((unquote(name), unquote(value)) if is_quoted else (name, value))
    return pairs
