"""Starlette's own ``starlette.datastructures``, under turbostar's name."""

from starlette.datastructures import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
