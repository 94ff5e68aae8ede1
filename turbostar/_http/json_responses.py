"""What stands in for ``JSONResponse``: msgspec, and headers that are ready made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import starlette.responses as stock
from starlette.background import BackgroundTask

from turbostar._guard.classes import is_next, namespace
from turbostar._guard.patches import gives_way
from turbostar._http.json_codec import DefaultHook, dumps, encodes_as_ever
from turbostar._http.responses import (
    LENGTHS,
    LENGTHS_TO,
    given_of,
    owned,
    response_init_headers,
)

__all__ = ["NO_DEFAULT", "json_response_init", "json_response_render"]

#: What `JSONResponse.json_default` is where nobody has defined it.
NO_DEFAULT: DefaultHook | None = None

_stock_init = stock.JSONResponse.__init__
_stock_render = stock.JSONResponse.render
_JSON, _Response = stock.JSONResponse, stock.Response  # somebody may put others into the module
_stock_response_init = stock.Response.__init__
_stock_init_headers = stock.Response.init_headers
_response = namespace(stock.Response)
_json_response = namespace(stock.JSONResponse)
_JSON_HEADER = (b"content-type", b"application/json")

late: Any = stock  # for names that are looked up when they are used, as stock does
_dumps = json.dumps
_Encoder = json.JSONEncoder
_encoder = namespace(_Encoder)
_init = _encoder["__init__"]
_default, _encode, _iterencode = _Encoder.default, _Encoder.encode, _Encoder.iterencode
_inner: Any = json.encoder
_c_make_encoder, _encode_string = _inner.c_make_encoder, _inner.encode_basestring

owned.add(stock.JSONResponse)


def json_response_init(
    self: stock.JSONResponse,
    content: Any,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str | None = None,
    background: BackgroundTask | None = None,
) -> None:
    """Stand in for ``JSONResponse.__init__``.

    Falls back to it for a class with a mixin before Response, and to its replacement if there is
    one; to `render` and `init_headers` where a class has its own.
    """
    cls: Any = type(self)
    is_own = cls in owned
    init = _json_response["__init__"]
    if init is not _stock_init and init is not json_response_init and gives_way(self, "__init__"):
        given = {"headers": headers, "media_type": media_type, "background": background}
        init(self, content, **given_of(status_code, 200, given))
        return
    if _response["__init__"] is not _stock_response_init or not (
        is_own or is_next(cls, _JSON, _Response)
    ):
        _stock_init(self, content, status_code, headers, media_type, background)
        return
    self.status_code = status_code
    if media_type is not None:
        self.media_type = media_type
    self.background = background
    body: Any
    render = _json_response["render"]
    # fast: `encodes_as_ever` written out, for each small response asks (json_response_construction)
    if (
        is_own
        and cls.render is json_response_render
        and (render is _stock_render or render is json_response_render)
        and late.json is json
        and json.dumps is _dumps
        and json.JSONEncoder is _Encoder
        and _inner.c_make_encoder is _c_make_encoder
        and _inner.encode_basestring is _encode_string
        and _encoder["__init__"] is _init
        and _Encoder.default is _default
        and _Encoder.encode is _encode
        and _Encoder.iterencode is _iterencode
    ):
        self.body = body = dumps(content, self.json_default)  # type: ignore[attr-defined]
    else:
        self.body = self.render(content)
        # A subclass may have made something of either.
        body, status_code = getattr(self, "body", None), self.status_code
    if (
        headers is None
        and body is not None
        and self.media_type == "application/json"
        and (cls.init_headers is _stock_init_headers or cls.init_headers is response_init_headers)
        and type(status_code) is int
        and (status_code == 200 or not (status_code < 200 or status_code in (204, 304)))
        and (is_own or "init_headers" not in vars(self))
    ):
        # fast: a third of a small response went into encoding these two anew (JSON, 1 route)
        size = len(body)
        length = LENGTHS[size] if size < LENGTHS_TO else (b"content-length", b"%d" % size)
        self.raw_headers = [length, _JSON_HEADER]
    else:
        self.init_headers(headers)


def json_response_render(self: stock.JSONResponse, content: Any) -> bytes:
    """Stand in for ``JSONResponse.render``; fall back to it where somebody has changed ``json``."""
    render = _json_response["render"]
    if (
        render is not _stock_render
        and render is not json_response_render
        and gives_way(self, "render")
    ):
        replaced: bytes = render(self, content)
        return replaced
    default = getattr(self, "json_default", None)
    if encodes_as_ever(stock) or default is not None:
        return dumps(content, default)
    return _stock_render(self, content)
