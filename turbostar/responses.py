"""``starlette.responses`` with a JSONResponse on msgspec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import starlette.responses as stock
from starlette.background import BackgroundTask

from turbostar._accelerations import accelerated
from turbostar._json import DefaultHook, dumps
from turbostar._mirror import mirror

if TYPE_CHECKING:
    from starlette.responses import (
        AsyncContentStream as AsyncContentStream,
        Content as Content,
        ContentStream as ContentStream,
        FileResponse as FileResponse,
        HTMLResponse as HTMLResponse,
        MalformedRangeHeader as MalformedRangeHeader,
        PlainTextResponse as PlainTextResponse,
        RangeNotSatisfiable as RangeNotSatisfiable,
        RedirectResponse as RedirectResponse,
        Response as Response,
        StreamingResponse as StreamingResponse,
        SyncContentStream as SyncContentStream,
    )

#: What `JSONResponse.json_default` is where nobody has defined it.
NO_DEFAULT: DefaultHook | None = None

_init_headers = stock.Response.init_headers
_JSON_HEADER = (b"content-type", b"application/json")
_LENGTHS = [(b"content-length", b"%d" % size) for size in range(1024)]


def json_response_init(
    self: stock.JSONResponse,
    content: Any,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str | None = None,
    background: BackgroundTask | None = None,
) -> None:
    self.status_code = status_code
    if media_type is not None:
        self.media_type = media_type
    self.background = background
    cls = type(self)
    if cls.render is json_response_render:
        self.body = body = dumps(content, self.json_default)  # type: ignore[attr-defined]
    else:
        self.body = body = self.render(content)
    size = len(body)
    if (
        headers is None
        and self.media_type == "application/json"
        and cls.init_headers is _init_headers
        and (status_code == 200 or (status_code > 200 and status_code not in (204, 304)))
    ):
        # A third of the time of a small response went into encoding these two anew.
        length = _LENGTHS[size] if size < 1024 else (b"content-length", b"%d" % size)
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


mirror(__name__, "JSONResponse")
