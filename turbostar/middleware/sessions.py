"""``starlette.middleware.sessions`` with a SessionMiddleware that derives its keys once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.middleware.sessions as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated

if TYPE_CHECKING:
    from starlette.middleware.sessions import Session as Session


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.middleware.sessions import SessionMiddleware as SessionMiddleware
else:

    @accelerated
    class SessionMiddleware(stock.SessionMiddleware, metaclass=Twin):
        """Keeps a session in a signed cookie."""


mirror(__name__, "SessionMiddleware")
