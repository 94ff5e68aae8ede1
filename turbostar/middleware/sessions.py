"""Starlette's own ``starlette.middleware.sessions``, under turbostar's name."""

from starlette.middleware.sessions import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
