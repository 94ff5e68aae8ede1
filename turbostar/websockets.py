"""Starlette's own ``starlette.websockets``, under turbostar's name."""

from starlette.websockets import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
