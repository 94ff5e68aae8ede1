"""``Set-Cookie`` headers: cookies that differ only in their value are formatted once."""

from __future__ import annotations

import functools
import http.cookies
from typing import Any

from starlette.responses import Response

from turbostar._guard.classes import namespace

__all__ = ["set_cookie_header"]

_stock_set_cookie = Response.set_cookie
_SimpleCookie = http.cookies.SimpleCookie
_quoted = _SimpleCookie().value_encode

# What the standard library does it with, as it was at the start.
_simple = namespace(_SimpleCookie)
_names_of_simple = len(_simple)
_base = namespace(http.cookies.BaseCookie)
_morsel = namespace(http.cookies.Morsel)
_value_encode = _simple["value_encode"]
_set_item, _set, _output = _base["__setitem__"], _base["_BaseCookie__set"], _base["output"]
_set_attribute, _set_value = _morsel["__setitem__"], _morsel["set"]
_output_morsel, _output_string = _morsel["output"], _morsel["OutputString"]
_reserved, _flags = dict(_morsel["_reserved"]), set(_morsel["_flags"])

_TEXT = (str, type(None))
_NUMBER = (int, type(None))


def _formats_as_ever() -> bool:
    """Whether nobody has changed how the standard library writes cookies, or which attributes."""
    return (
        http.cookies.SimpleCookie is _SimpleCookie
        and len(_simple) == _names_of_simple
        and _simple["value_encode"] is _value_encode
        and _base["__setitem__"] is _set_item
        and _base["_BaseCookie__set"] is _set
        and _base["output"] is _output
        and _morsel["__setitem__"] is _set_attribute
        and _morsel["set"] is _set_value
        and _morsel["output"] is _output_morsel
        and _morsel["OutputString"] is _output_string
        and _morsel["_reserved"] == _reserved
        and _morsel["_flags"] == _flags
    )


def set_cookie_header(
    key: Any,
    value: Any,
    max_age: Any,
    expires: Any,
    path: Any,
    domain: Any,
    secure: Any,
    httponly: Any,
    samesite: Any,
    partitioned: Any,
) -> bytes | None:
    """The header that ``Response.set_cookie`` would add; None where it must be asked itself."""
    if (
        expires is not None
        or type(key) is not str
        or type(value) is not str
        or type(max_age) not in _NUMBER
        or type(path) not in _TEXT
        or type(domain) not in _TEXT
        or type(samesite) not in _TEXT
        or not (value.isascii() and value.isprintable())
        or not _formats_as_ever()
    ):
        return None
    frame = _frame(
        key, max_age, path, domain, bool(secure), bool(httponly), samesite, bool(partitioned)
    )
    if frame is None:
        return None
    before, after = frame
    return before + _quoted(value)[1].encode("latin-1") + after


@functools.lru_cache(maxsize=256)
def _frame(
    key: str,
    max_age: int | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: Any,
    partitioned: bool,
) -> tuple[bytes, bytes] | None:
    """What stands before and after the value of a cookie, as Starlette formats it."""
    response = Response.__new__(Response)
    response.raw_headers = []
    try:
        _stock_set_cookie(
            response, key, "v", max_age, None, path, domain, secure, httponly, samesite, partitioned
        )
    except Exception:
        return None  # to be raised anew, by Starlette
    before = key.encode("latin-1") + b"="
    header = response.raw_headers[0][1]
    return (before, header[len(before) + 1 :]) if header.startswith(before + b"v") else None
