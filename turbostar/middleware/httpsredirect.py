"""``starlette.middleware.httpsredirect`` with an HTTPSRedirectMiddleware that can be a stage."""

from typing import Any

import starlette.middleware.httpsredirect as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._dispatch import respond_plainly
from turbostar._hosts import redirect_to_https
from turbostar._mirror import mirror
from turbostar._passing import Passage
from turbostar._stages import Rest, below, register_stage


async def https_redirect_call(
    self: stock.HTTPSRedirectMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] in ("http", "websocket") and scope["scheme"] in ("http", "ws"):
        await redirect_to_https(scope)(scope, receive, send)
    else:
        await self.app(scope, receive, send)


async def https_redirect_respond(
    self: stock.HTTPSRedirectMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    if scope["scheme"] in ("http", "ws"):
        response = redirect_to_https(scope)
        return response if type(response).__call__ is respond_plainly else Rest(response)
    return await below(self.app, scope, receive, passage)


register_stage(https_redirect_call, https_redirect_respond)


@accelerated
class HTTPSRedirectMiddleware(stock.HTTPSRedirectMiddleware):
    """Redirects what comes without TLS to where there is TLS."""


mirror(__name__, "HTTPSRedirectMiddleware")
