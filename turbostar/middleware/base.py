"""``starlette.middleware.base`` with a BaseHTTPMiddleware that passes responses up unsent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.base as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.base import (
        AsyncContentStream as AsyncContentStream,
        BodyStreamGenerator as BodyStreamGenerator,
        DispatchFunction as DispatchFunction,
        RequestResponseEndpoint as RequestResponseEndpoint,
        T as T,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.base import BaseHTTPMiddleware as BaseHTTPMiddleware
else:

    @accelerated
    class BaseHTTPMiddleware(stock.BaseHTTPMiddleware, metaclass=Twin):
        """Starlette's middleware with ``dispatch``, without a task group and a stream for each."""


mirror(__name__, "BaseHTTPMiddleware")
