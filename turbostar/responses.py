"""``starlette.responses`` with a JSONResponse on msgspec, and cheaper plain responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.responses as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated
from turbostar._http.json_responses import NO_DEFAULT
from turbostar._http.responses import own

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


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.responses import (
        JSONResponse as JSONResponse,
        PlainTextResponse as PlainTextResponse,
        RedirectResponse as RedirectResponse,
        StreamingResponse as StreamingResponse,
    )
else:

    @own
    @accelerated
    class JSONResponse(stock.JSONResponse, metaclass=Twin):
        """A response encoded as JSON by msgspec, with the standard library's answers.

        Beside what the standard library encodes, it takes datetime, date, time, timedelta, UUID,
        Decimal, Enum, bytes, set, frozenset, dataclasses, attrs classes, msgspec Structs and
        pydantic models.

        Attributes:
            json_default: called with each object that none of that covers, and returns one that it
                does. Define it as a method in a subclass; None for no such hook.
        """

        json_default = NO_DEFAULT

    @own
    @accelerated
    class PlainTextResponse(stock.PlainTextResponse, metaclass=Twin):
        """A response of text, made of ready headers."""

    @own
    @accelerated
    class RedirectResponse(stock.RedirectResponse, metaclass=Twin):
        """A redirect, whose location is quoted only where it needs it."""

    @accelerated
    class StreamingResponse(stock.StreamingResponse, metaclass=Twin):
        """A response that is sent piece by piece, without a task group."""


mirror(__name__, "JSONResponse", "PlainTextResponse", "RedirectResponse", "StreamingResponse")
