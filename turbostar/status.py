"""Starlette's own ``starlette.status``, under turbostar's name."""

from starlette.status import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
