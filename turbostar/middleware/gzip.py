"""``starlette.middleware.gzip`` with a GZipMiddleware that makes no responders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import starlette.middleware.gzip as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._dispatch import respond_plainly
from turbostar._gzip import VARY, Compression, accepts_gzip, is_plain, mark
from turbostar._headers import add_vary
from turbostar._mirror import mirror
from turbostar._passing import Passage, whole
from turbostar._stages import Rest, below, register_stage, unsendable, with_sender

if TYPE_CHECKING:
    from starlette.middleware.gzip import (
        DEFAULT_EXCLUDED_CONTENT_TYPES as DEFAULT_EXCLUDED_CONTENT_TYPES,
        GZipResponder as GZipResponder,
        IdentityResponder as IdentityResponder,
        unattached_send as unattached_send,
    )

_stock_call = stock.GZipMiddleware.__call__


async def gzip_call(self: stock.GZipMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    headers = scope["headers"] = list(scope["headers"])
    compression = Compression(self, accepts_gzip(headers), send)
    await self.app(scope, receive, compression.send)


async def gzip_respond(
    self: stock.GZipMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    if not is_plain(self):
        return Rest(self)
    headers = scope["headers"] = list(scope["headers"])
    accepted = accepts_gzip(headers)
    inner = await below(self.app, scope, receive, passage)
    if inner is None:
        return None
    if type(inner) is Rest or type(inner).__call__ is not respond_plainly:
        # What another middleware passes up is compressed piece by piece, as it is sent.
        app = inner.app if type(inner) is Rest else inner
        return with_sender(app, Compression, self, accepted)
    compression = Compression(self, accepted, unsendable)
    compression.look({"status": inner.status_code, "headers": inner.raw_headers})
    body = inner.body
    if compression.is_left or len(body) < self.minimum_size:
        return inner
    compressed = await compression.compress(body, False)
    add_vary(inner.raw_headers, VARY)
    if compressed != body:
        mark(inner.raw_headers, compressed)
    return whole(inner.status_code, inner.raw_headers, compressed)


register_stage(gzip_call, gzip_respond)


@accelerated
class GZipMiddleware(stock.GZipMiddleware):
    """Compresses answers for clients that take that."""


mirror(__name__, "GZipMiddleware")
