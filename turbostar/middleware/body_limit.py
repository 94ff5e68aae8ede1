"""``starlette.middleware.body_limit`` with a RequestBodyLimitMiddleware of fewer layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import starlette.middleware.body_limit as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._body_limit import Limit, is_plain
from turbostar._mirror import mirror

if TYPE_CHECKING:
    from starlette.middleware.body_limit import (
        MAX_BODY_SIZE_SCOPE_KEY as MAX_BODY_SIZE_SCOPE_KEY,
        RequestBodyLimitResponder as RequestBodyLimitResponder,
    )

_stock_call = stock.RequestBodyLimitMiddleware.__call__
_ABSENT: Any = object()
_module: Any = stock  # its globals are looked up late, as Starlette does


async def body_limit_call(
    self: stock.RequestBodyLimitMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] != "http":
        return await self.app(scope, receive, send)
    if not is_plain(self):
        return await _stock_call(self, scope, receive, send)
    size_key, limit_key = stock.MAX_BODY_SIZE_SCOPE_KEY, stock._BODY_LIMIT_RESPONDER_SCOPE_KEY
    max_body_size = self.max_body_size
    previous = scope.get(size_key, _ABSENT)
    scope[size_key] = max_body_size
    outer: Any = scope.get(limit_key)
    if outer is not None:
        # The limit nearest to the endpoint is in force, also for what was received already.
        outer.max_body_size = max_body_size
        if outer.total_size > max_body_size:
            raise _module._RequestBodyTooLarge
        return await self.app(scope, receive, send)
    limit = Limit(self, scope, receive, send)
    scope[limit_key] = limit.responder
    try:
        await self.app(scope, limit.receive, limit.send)
    except _module._RequestBodyTooLarge:
        if limit.responder.response_started:
            raise
        await _module.PlainTextResponse("Content Too Large", 413)(scope, receive, send)
    except _module._RequestBodyLimitResponseSent:
        pass
    finally:
        scope.pop(limit_key, None)
        if previous is _ABSENT:
            scope.pop(size_key, None)
        else:
            scope[size_key] = previous


@accelerated
class RequestBodyLimitMiddleware(stock.RequestBodyLimitMiddleware):
    """Limits how long the body of a request may be."""


mirror(__name__, "RequestBodyLimitMiddleware")
