"""Starlette's own ``starlette.exceptions``, under turbostar's name."""

from starlette.exceptions import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
