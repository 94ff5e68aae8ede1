"""Starlette's own ``starlette.types``, under turbostar's name."""

from starlette.types import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
