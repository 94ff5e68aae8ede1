"""``Set-Cookie`` headers: cookies that differ only in their value are formatted once."""

from __future__ import annotations

import functools
import http.cookies
from typing import Any

from starlette.responses import Response

__all__ = ["set_cookie_header"]

_stock_set_cookie = Response.set_cookie
_SimpleCookie = http.cookies.SimpleCookie
_quoted = _SimpleCookie().value_encode
_TEXT = (str, type(None))
_NUMBER = (int, type(None))


def set_cookie_header(
    key: Any,
    value: Any,
    max_age: Any,
    path: Any,
    domain: Any,
    secure: Any,
    httponly: Any,
    samesite: Any,
    partitioned: Any,
) -> bytes | None:
    """The header that ``Response.set_cookie`` would add; None where it must be asked itself."""
    if (
        type(key) is not str
        or type(value) is not str
        or type(max_age) not in _NUMBER
        or type(path) not in _TEXT
        or type(domain) not in _TEXT
        or type(samesite) not in _TEXT
        or not (value.isascii() and value.isprintable())
        or http.cookies.SimpleCookie is not _SimpleCookie
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
