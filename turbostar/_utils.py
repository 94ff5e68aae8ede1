"""Starlette's own ``starlette._utils``, under turbostar's name."""

from starlette._utils import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
