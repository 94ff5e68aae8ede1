"""``starlette.middleware.trustedhost`` with a TrustedHostMiddleware that remembers valid hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.trustedhost as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._hosts import is_plain, refusal
from turbostar._mirror import mirror

if TYPE_CHECKING:
    from starlette.middleware.trustedhost import (
        ENFORCE_DOMAIN_WILDCARD as ENFORCE_DOMAIN_WILDCARD,
    )

_stock_call = stock.TrustedHostMiddleware.__call__


async def trusted_host_call(
    self: stock.TrustedHostMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if self.allow_any or scope["type"] not in ("http", "websocket"):
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    response = refusal(self, scope)
    await (self.app if response is None else response)(scope, receive, send)


@accelerated
class TrustedHostMiddleware(stock.TrustedHostMiddleware):
    """Lets requests for some hosts pass, and no others."""


mirror(__name__, "TrustedHostMiddleware")
