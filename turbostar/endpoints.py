"""``starlette.endpoints`` with an HTTPEndpoint that gets turbostar's requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.endpoints as stock

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated
from turbostar.requests import Request

if TYPE_CHECKING:
    from starlette.endpoints import WebSocketEndpoint as WebSocketEndpoint


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.endpoints import HTTPEndpoint as HTTPEndpoint
else:

    @accelerated
    class HTTPEndpoint(stock.HTTPEndpoint, metaclass=Twin):
        """A class endpoint whose methods receive turbostar's Request."""

        _turbostar_request = Request


mirror(__name__, "HTTPEndpoint")
