"""``starlette.middleware.gzip`` with a GZipMiddleware that makes no responders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.gzip as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._gzip import Compression, accepts_gzip, is_plain
from turbostar._mirror import mirror

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


@accelerated
class GZipMiddleware(stock.GZipMiddleware):
    """Compresses answers for clients that take that."""


mirror(__name__, "GZipMiddleware")
