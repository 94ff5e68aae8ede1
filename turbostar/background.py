"""Starlette's own ``starlette.background``, under turbostar's name."""

from starlette.background import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
