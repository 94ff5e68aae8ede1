"""``starlette.middleware.cors`` with a CORSMiddleware that works on raw headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.cors as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.cors import (
        ALL_METHODS as ALL_METHODS,
        SAFELISTED_HEADERS as SAFELISTED_HEADERS,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.cors import CORSMiddleware as CORSMiddleware
else:

    @accelerated
    class CORSMiddleware(stock.CORSMiddleware, metaclass=Twin):
        """Answers preflight requests, and adds the headers that let other origins read answers."""


mirror(__name__, "CORSMiddleware")
