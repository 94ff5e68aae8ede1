"""``starlette.middleware.body_limit`` with a RequestBodyLimitMiddleware of fewer layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.body_limit as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.body_limit import (
        MAX_BODY_SIZE_SCOPE_KEY as MAX_BODY_SIZE_SCOPE_KEY,
        RequestBodyLimitResponder as RequestBodyLimitResponder,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.body_limit import (
        RequestBodyLimitMiddleware as RequestBodyLimitMiddleware,
    )
else:

    @accelerated
    class RequestBodyLimitMiddleware(stock.RequestBodyLimitMiddleware, metaclass=Twin):
        """Limits how long the body of a request may be."""


mirror(__name__, "RequestBodyLimitMiddleware")
