"""``starlette.middleware.trustedhost`` with a TrustedHostMiddleware that remembers valid hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.trustedhost as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.trustedhost import (
        ENFORCE_DOMAIN_WILDCARD as ENFORCE_DOMAIN_WILDCARD,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.trustedhost import TrustedHostMiddleware as TrustedHostMiddleware
else:

    @accelerated
    class TrustedHostMiddleware(stock.TrustedHostMiddleware, metaclass=Twin):
        """Lets requests for some hosts pass, and no others."""


mirror(__name__, "TrustedHostMiddleware")
