"""Starlette's own ``starlette.websockets``, under turbostar's name."""

from starlette.websockets import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
