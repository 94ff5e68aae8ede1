"""Starlette's own ``starlette.config``, under turbostar's name."""

from starlette.config import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
