"""``starlette.middleware.httpsredirect`` with an HTTPSRedirectMiddleware that costs less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.httpsredirect as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.httpsredirect import (
        HTTPSRedirectMiddleware as HTTPSRedirectMiddleware,
    )
else:

    @accelerated
    class HTTPSRedirectMiddleware(stock.HTTPSRedirectMiddleware, metaclass=Twin):
        """Redirects what comes without TLS to where there is TLS."""


mirror(__name__, "HTTPSRedirectMiddleware")
