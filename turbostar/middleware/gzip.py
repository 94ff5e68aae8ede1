"""``starlette.middleware.gzip`` with a GZipMiddleware that makes no responders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.gzip as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.gzip import (
        DEFAULT_EXCLUDED_CONTENT_TYPES as DEFAULT_EXCLUDED_CONTENT_TYPES,
        GZipResponder as GZipResponder,
        IdentityResponder as IdentityResponder,
        unattached_send as unattached_send,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.gzip import GZipMiddleware as GZipMiddleware
else:

    @accelerated
    class GZipMiddleware(stock.GZipMiddleware, metaclass=Twin):
        """Compresses answers for clients that take that."""


mirror(__name__, "GZipMiddleware")
