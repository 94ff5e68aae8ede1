"""``starlette.middleware.httpsredirect`` with an HTTPSRedirectMiddleware that can be a stage."""

import starlette.middleware.httpsredirect as stock
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._hosts import redirect_to_https
from turbostar._mirror import mirror


async def https_redirect_call(
    self: stock.HTTPSRedirectMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] in ("http", "websocket") and scope["scheme"] in ("http", "ws"):
        await redirect_to_https(scope)(scope, receive, send)
    else:
        await self.app(scope, receive, send)


@accelerated
class HTTPSRedirectMiddleware(stock.HTTPSRedirectMiddleware):
    """Redirects what comes without TLS to where there is TLS."""


mirror(__name__, "HTTPSRedirectMiddleware")
