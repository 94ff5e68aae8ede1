"""Starlette's own ``starlette.middleware.gzip``, under turbostar's name."""

from starlette.middleware.gzip import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
