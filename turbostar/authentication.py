"""Starlette's own ``starlette.authentication``, under turbostar's name."""

from starlette.authentication import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
