"""Starlette's own ``starlette._exception_handler``, under turbostar's name."""

from starlette._exception_handler import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
