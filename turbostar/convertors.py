"""Starlette's own ``starlette.convertors``, under turbostar's name."""

from starlette.convertors import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
