"""Plain responses: bodies and headers as Starlette makes them, without making constants anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import starlette.responses as stock
from starlette.background import BackgroundTask
from starlette.datastructures import URL, Headers, MutableHeaders

from turbostar._guard.classes import is_next, namespace
from turbostar._guard.patches import gives_way
from turbostar._http.set_cookie import set_cookie_header

__all__ = [
    "LENGTHS",
    "LENGTHS_TO",
    "PLAIN_TEXT",
    "Header",
    "given_of",
    "leaf_set_cookie",
    "length_header",
    "own",
    "owned",
    "plain_text_init",
    "redirect_init",
    "response_init_headers",
    "response_render",
    "response_set_cookie",
]

Header = tuple[bytes, bytes]

LENGTHS_TO = 1024
#: The content-length header of each small body.
LENGTHS = [(b"content-length", b"%d" % size) for size in range(LENGTHS_TO)]

late: Any = stock  # for names that are looked up when they are used, as stock does

#: The content-type header of plain text.
PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_MAX_CONTENT_TYPES = 256

# The classes by names of their own: somebody may put others into the module.
_Response, _PlainText = stock.Response, stock.PlainTextResponse
_stock_init = stock.Response.__init__
_stock_init_headers = stock.Response.init_headers
_stock_redirect_init = stock.RedirectResponse.__init__
_stock_render = stock.Response.render
_stock_set_cookie = stock.Response.set_cookie
_stock_headers = vars(stock.Response)["headers"]
_stock_set_header = MutableHeaders.__setitem__
_new = object.__new__

_response = namespace(stock.Response)
_plain_text = namespace(stock.PlainTextResponse)
_redirect = namespace(stock.RedirectResponse)
_headers = namespace(Headers)
_stock_headers_init = Headers.__init__
_mutable_headers = namespace(MutableHeaders)
_content_types: dict[str, Header] = {}
_texts: dict[str, dict[str, Header]] = {}  # by charset, of media types that are given one

owned: set[type] = {stock.PlainTextResponse, stock.RedirectResponse}
_leaves = frozenset({stock.JSONResponse, stock.PlainTextResponse, stock.RedirectResponse})

# What `quote` leaves as it is, in the location of a redirect.
_needs_no_quotes = re.compile(r"[\w.~:/%#?=@\[\]!$&'()*+,;-]*", re.ASCII).fullmatch


def own(cls: type) -> type:
    """Class decorator: an import-swapped class, which adds nothing to its stock base."""
    owned.add(cls)
    return cls


def given_of(status_code: Any, usual: int, others: dict[str, Any]) -> dict[str, Any]:
    """What a constructor was given beside its first argument, by name.

    For what has replaced it, which may take no more than the program gives.
    """
    given = {name: value for name, value in others.items() if value is not None}
    return given if status_code is usual else {"status_code": status_code, **given}


def length_header(size: int) -> Header:
    """The content-length header of a body; written out in the constructors, to save the call."""
    return LENGTHS[size] if size < LENGTHS_TO else (b"content-length", b"%d" % size)


def response_render(self: stock.Response, content: Any) -> bytes | memoryview:
    """Stand in for ``Response.render``: text first; fall back to it for anything else."""
    if type(content) is str:
        return content.encode(self.charset)
    return _stock_render(self, content)


def response_init_headers(self: stock.Response, headers: Mapping[str, str] | None = None) -> None:
    """Stand in for ``Response.init_headers``, with headers that are made once.

    Keeps which headers there are, and their order; falls back to it for a media type that is no
    text.
    """
    media_type: Any = self.media_type
    if media_type is not None and type(media_type) is not str:
        _stock_init_headers(self, headers)
        return
    raw_headers: list[Header] = []
    has_length = False
    if headers is not None:
        for name, value in headers.items():
            key = name.lower().encode("latin-1")
            raw_headers.append((key, value.encode("latin-1")))
            if key == b"content-length":
                has_length = True
            elif key == b"content-type":
                media_type = None
    body = getattr(self, "body", None)
    if not (body is None or has_length or self.status_code < 200 or self.status_code in (204, 304)):
        raw_headers.append(length_header(len(body)))
    if media_type is not None:
        raw_headers.append(_content_type(self, media_type))
    self.raw_headers = raw_headers


def _content_type(response: stock.Response, media_type: str) -> Header:
    """The header of a media type; the charset is read only where it becomes a part of that."""
    texts = _texts.get(media_type)
    if texts is None:
        header = _content_types.get(media_type)
        if header is not None:
            return header
        if not media_type.startswith("text/") or "charset=" in media_type.lower():
            header = (b"content-type", media_type.encode("latin-1"))
            if len(_content_types) < _MAX_CONTENT_TYPES:
                _content_types[media_type] = header
            return header
        texts = {}
        if len(_texts) < _MAX_CONTENT_TYPES:
            _texts[media_type] = texts
    charset: Any = response.charset
    header = texts.get(charset) if type(charset) is str else None
    if header is None:
        content_type = f"{media_type}; charset=" + charset
        header = (b"content-type", content_type.encode("latin-1"))
        if type(charset) is str and len(texts) < _MAX_CONTENT_TYPES:
            texts[charset] = header
    return header


def _has_stock_methods(cls: Any) -> bool:
    """Whether the responses of a class make their bodies and headers as Starlette does."""
    render, init_headers = cls.render, cls.init_headers
    return (render is _stock_render or render is response_render) and (
        init_headers is _stock_init_headers or init_headers is response_init_headers
    )


def _set_usual_text(response: stock.PlainTextResponse, content: str) -> None:
    """Set the body and the headers of a response of UTF-8 text that may have a body."""
    response.body = body = content.encode()
    response.raw_headers = [length_header(len(body)), PLAIN_TEXT]


def _plain_text_init(
    self: stock.PlainTextResponse,
    content: Any = None,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str | None = None,
    background: BackgroundTask | None = None,
) -> None:
    cls = type(self)
    self.status_code = status_code
    if media_type is not None:
        self.media_type = media_type
    self.background = background
    if cls in owned and _has_stock_methods(cls):
        if (
            type(content) is str
            and headers is None
            and self.media_type == "text/plain"
            and self.charset == "utf-8"
            and not status_code < 200  # as Starlette compares
            and status_code not in (204, 304)
        ):
            _set_usual_text(self, content)
        else:
            self.body = response_render(self, content)
            response_init_headers(self, headers)
        return
    self.body = self.render(content)
    if cls.init_headers is _stock_init_headers and "init_headers" not in vars(self):
        response_init_headers(self, headers)
    else:
        self.init_headers(headers)


def plain_text_init(self: stock.PlainTextResponse, *args: Any, **kwargs: Any) -> None:
    """Stand in for the ``Response.__init__`` that PlainTextResponse inherits.

    It takes whatever it is given, for a mixin between the two may take more than Response does.
    """
    cls: Any = type(self)
    is_own = cls in owned
    init = _plain_text.get("__init__")
    if init is not None and init is not plain_text_init and gives_way(self, "__init__"):
        init(self, *args, **kwargs)
    elif _response["__init__"] is not _stock_init or not (
        is_own or cls.__mro__[-3] is _PlainText or is_next(cls, _PlainText, _Response)
    ):
        super(_PlainText, self).__init__(*args, **kwargs)
    elif (
        is_own
        and len(args) == 1
        and not kwargs
        and type(args[0]) is str
        and _has_stock_methods(cls)
        and self.media_type == "text/plain"
        and self.charset == "utf-8"
    ):
        # fast: a call of many arguments less (making a PlainTextResponse)
        self.status_code = 200
        self.background = None
        _set_usual_text(self, args[0])
    else:
        _plain_text_init(self, *args, **kwargs)


plain_text_init.__wrapped__ = _stock_init  # type: ignore[attr-defined]
_plain_text_init.__qualname__ = _stock_init.__qualname__  # as a wrong call is told


def redirect_init(
    self: stock.RedirectResponse,
    url: str | URL,
    status_code: int = 307,
    headers: Mapping[str, str] | None = None,
    background: BackgroundTask | None = None,
) -> None:
    """Stand in for ``RedirectResponse.__init__``; fall back to it for headers and for subclasses.

    Keeps ``headers`` tied to the raw ones, as Starlette's leaves them.
    """
    init = _redirect["__init__"]
    is_known = init is _stock_redirect_init or init is redirect_init
    if not is_known and gives_way(self, "__init__"):
        given = {"headers": headers, "background": background}
        init(self, url, **given_of(status_code, 307, given))
        return
    if (
        headers is not None
        or type(self) not in owned
        or _response["__init__"] is not _stock_init
        or not _has_stock_methods(type(self))
        or self.media_type is not None
        or _response["headers"] is not _stock_headers
        or _mutable_headers.get("__setitem__") is not _stock_set_header
        or _headers["__init__"] is not _stock_headers_init
        or "__init__" in _mutable_headers
        or late.MutableHeaders is not MutableHeaders
        or late.quote is not quote
    ):
        _stock_redirect_init(self, url, status_code, headers, background)
        return
    self.status_code = status_code
    self.background = background
    self.body = b""
    has_length = not (status_code < 200 or status_code in (204, 304))
    self.raw_headers = raw_headers = [LENGTHS[0]] if has_length else []
    location = str(url)
    if _needs_no_quotes(location) is None:
        location = quote(location, safe=":/%#?=@[]!$&'()*+,;")
    # Starlette sets the location through `self.headers`, which stay tied to this list.
    changeable = self._headers = _new(MutableHeaders)
    changeable._list = raw_headers
    raw_headers.append((b"location", location.encode("latin-1")))


def response_set_cookie(
    self: stock.Response,
    key: str,
    value: str = "",
    max_age: int | None = None,
    expires: datetime | str | int | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: Literal["lax", "strict", "none"] | None = "lax",
    partitioned: bool = False,
) -> None:
    """Stand in for ``Response.set_cookie``; fall back to it for what is seldom, or wrong."""
    options = (max_age, expires, path, domain, secure, httponly, samesite, partitioned)
    header = set_cookie_header(key, value, *options)
    if header is None:
        _stock_set_cookie(self, key, value, *options)
    else:
        self.raw_headers.append((b"set-cookie", header))


def leaf_set_cookie(self: stock.Response, *args: Any, **kwargs: Any) -> None:
    """Stand in for the ``Response.set_cookie`` that classes of responses inherit.

    It takes whatever it is given, for a mixin between the two may take more than Response does.
    """
    mro = type(self).__mro__
    known = _response["set_cookie"]
    if mro[mro.index(_Response) - 1] in _leaves and (
        known is _stock_set_cookie or known is response_set_cookie
    ):
        response_set_cookie(self, *args, **kwargs)
    else:
        leaf: Any = next(cls for cls in mro if cls in _leaves)
        super(leaf, self).set_cookie(*args, **kwargs)


leaf_set_cookie.__wrapped__ = _stock_set_cookie  # type: ignore[attr-defined]
response_set_cookie.__qualname__ = _stock_set_cookie.__qualname__  # as a wrong call is told
