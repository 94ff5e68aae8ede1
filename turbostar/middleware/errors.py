"""Starlette's own ``starlette.middleware.errors``, under turbostar's name."""

from starlette.middleware.errors import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
