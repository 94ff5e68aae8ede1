"""Starlette's own ``starlette.middleware.base``, under turbostar's name."""

from starlette.middleware.base import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
