"""``starlette.middleware.exceptions`` with an ExceptionMiddleware that runs its router itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.exceptions as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.exceptions import ExceptionMiddleware as ExceptionMiddleware
else:

    @accelerated
    class ExceptionMiddleware(stock.ExceptionMiddleware, metaclass=Twin):
        """Answers exceptions by their handlers; router and endpoint run in one coroutine."""


mirror(__name__, "ExceptionMiddleware")
