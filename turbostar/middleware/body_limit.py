"""Starlette's own ``starlette.middleware.body_limit``, under turbostar's name."""

from starlette.middleware.body_limit import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
