"""Starlette's own ``starlette.middleware.httpsredirect``, under turbostar's name."""

from starlette.middleware.httpsredirect import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
