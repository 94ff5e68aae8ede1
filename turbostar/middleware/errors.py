"""Starlette's own ``starlette.middleware.errors``, under turbostar's name."""

from starlette.middleware.errors import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
