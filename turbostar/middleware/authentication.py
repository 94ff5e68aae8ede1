"""Starlette's own ``starlette.middleware.authentication``, under turbostar's name."""

from starlette.middleware.authentication import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
