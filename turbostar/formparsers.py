"""Starlette's own ``starlette.formparsers``, under turbostar's name."""

from starlette.formparsers import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
