"""What stands in for ``HTTPSRedirectMiddleware``."""

# Without `from __future__ import annotations`: the signature is that of Starlette's module.

from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.types import Receive, Scope, Send

from turbostar._http.tracked_send import hand_through
from turbostar._middleware.hosts import redirect_to_https
from turbostar._stages.protocol import register

__all__ = ["https_redirect_call"]


async def https_redirect_call(
    self: HTTPSRedirectMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``HTTPSRedirectMiddleware.__call__``."""
    if scope["type"] in ("http", "websocket") and scope["scheme"] in ("http", "ws"):
        await redirect_to_https(scope)(scope, receive, send)
    else:
        app = self.app  # may be a property of a subclass: read once, as by Starlette
        await app(scope, receive, hand_through(send, app))


register(https_redirect_call)
