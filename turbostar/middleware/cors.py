"""Starlette's own ``starlette.middleware.cors``, under turbostar's name."""

from starlette.middleware.cors import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
