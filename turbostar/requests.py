"""``starlette.requests`` with a Request that decodes JSON by msgspec, and is cheaper to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import starlette.requests as stock
from starlette.requests import StateT as StateT

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated
from turbostar._http.request import own

if TYPE_CHECKING:
    from starlette.requests import (
        SERVER_PUSH_HEADERS_TO_COPY as SERVER_PUSH_HEADERS_TO_COPY,
        ClientDisconnect as ClientDisconnect,
        HTTPConnection as HTTPConnection,
        cookie_parser as cookie_parser,
        empty_receive as empty_receive,
        empty_send as empty_send,
    )


if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.requests import Request as Request
else:

    @own
    @accelerated
    class Request(stock.Request[StateT], metaclass=Twin):
        """An HTTP request that decodes JSON by msgspec, with the standard library's answers.

        Its headers, query parameters and URLs are Starlette's, too, and cheaper to come by.
        """


mirror(__name__, "Request")
