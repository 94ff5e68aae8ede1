"""Starlette's own ``starlette.schemas``, under turbostar's name."""

from starlette.schemas import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
