"""``starlette.endpoints`` with an HTTPEndpoint that looks up one method, and not all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import starlette.endpoints as stock

from turbostar._accelerations import accelerated
from turbostar._mirror import mirror
from turbostar.requests import Request

if TYPE_CHECKING:
    from starlette.endpoints import WebSocketEndpoint as WebSocketEndpoint


@accelerated
class HTTPEndpoint(stock.HTTPEndpoint):
    """A class endpoint that looks up the one method which a request asks for."""

    _turbostar_request: Any = Request


mirror(__name__, "HTTPEndpoint")
