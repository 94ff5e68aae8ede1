"""``starlette.middleware.trustedhost`` with a TrustedHostMiddleware that remembers valid hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import starlette.middleware.trustedhost as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._dispatch import respond_plainly
from turbostar._hosts import is_plain, refusal
from turbostar._mirror import mirror
from turbostar._passing import Passage
from turbostar._stages import Rest, below, register_stage

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


async def trusted_host_respond(
    self: stock.TrustedHostMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    if not self.allow_any:
        if not is_plain(self):
            return Rest(self)
        response = refusal(self, scope)
        if response is not None:
            return response if type(response).__call__ is respond_plainly else Rest(response)
    return await below(self.app, scope, receive, passage)


register_stage(trusted_host_call, trusted_host_respond)


@accelerated
class TrustedHostMiddleware(stock.TrustedHostMiddleware):
    """Lets requests for some hosts pass, and no others."""


mirror(__name__, "TrustedHostMiddleware")
