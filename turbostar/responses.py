"""``starlette.responses`` with a JSONResponse on msgspec, and cheaper plain responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import starlette.responses as stock
from starlette.background import BackgroundTask

from turbostar._accelerations import accelerated
from turbostar._classes import is_next, namespace
from turbostar._json import DefaultHook, dumps
from turbostar._mirror import mirror
from turbostar._responses import LENGTHS, LENGTHS_TO, own, response_init_headers

if TYPE_CHECKING:
    from starlette.responses import (
        AsyncContentStream as AsyncContentStream,
        Content as Content,
        ContentStream as ContentStream,
        FileResponse as FileResponse,
        HTMLResponse as HTMLResponse,
        MalformedRangeHeader as MalformedRangeHeader,
        RangeNotSatisfiable as RangeNotSatisfiable,
        Response as Response,
        SyncContentStream as SyncContentStream,
    )

#: What `JSONResponse.json_default` is where nobody has defined it.
NO_DEFAULT: DefaultHook | None = None

_stock_init = stock.JSONResponse.__init__
_stock_response_init = stock.Response.__init__
_stock_init_headers = stock.Response.init_headers
_response = namespace(stock.Response)
_JSON_HEADER = (b"content-type", b"application/json")


def json_response_init(
    self: stock.JSONResponse,
    content: Any,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str | None = None,
    background: BackgroundTask | None = None,
) -> None:
    cls = type(self)
    is_own = cls is JSONResponse or cls is stock.JSONResponse
    if _response["__init__"] is not _stock_response_init or not (
        is_own or is_next(cls, stock.JSONResponse, stock.Response)
    ):
        _stock_init(self, content, status_code, headers, media_type, background)
        return
    self.status_code = status_code
    if media_type is not None:
        self.media_type = media_type
    self.background = background
    if is_own and cls.render is json_response_render:
        self.body = body = dumps(content, self.json_default)  # type: ignore[attr-defined]
    else:
        self.body = body = self.render(content)
    if (
        headers is None
        and self.media_type == "application/json"
        and (cls.init_headers is _stock_init_headers or cls.init_headers is response_init_headers)
        and (status_code == 200 or not (status_code < 200 or status_code in (204, 304)))
        and (is_own or "init_headers" not in vars(self))
    ):
        # A third of the time of a small response went into encoding these two anew.
        size = len(body)
        length = LENGTHS[size] if size < LENGTHS_TO else (b"content-length", b"%d" % size)
        self.raw_headers = [length, _JSON_HEADER]
    else:
        self.init_headers(headers)


def json_response_render(self: stock.JSONResponse, content: Any) -> bytes:
    return dumps(content, getattr(self, "json_default", None))


@accelerated
class JSONResponse(stock.JSONResponse):
    """A response whose content is encoded as JSON by msgspec, with the standard library's answers.

    Beside what the standard library encodes, it takes datetime, date, time, timedelta, UUID,
    Decimal, Enum, bytes, set, frozenset, dataclasses, attrs classes, msgspec Structs and pydantic
    models.

    Attributes:
        json_default: called with each object that none of that covers, and returns one that it
            does. Define it as a method in a subclass; None for no such hook.
    """

    json_default: DefaultHook | None = NO_DEFAULT


@own
@accelerated
class PlainTextResponse(stock.PlainTextResponse):
    """A response of text, made of ready headers."""


@own
@accelerated
class RedirectResponse(stock.RedirectResponse):
    """A redirect, whose location is quoted only where it needs it."""


@accelerated
class StreamingResponse(stock.StreamingResponse):
    """A response that is sent piece by piece, without a task group."""


mirror(__name__, "JSONResponse", "PlainTextResponse", "RedirectResponse", "StreamingResponse")
