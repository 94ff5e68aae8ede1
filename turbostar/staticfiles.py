"""Starlette's own ``starlette.staticfiles``, under turbostar's name."""

from starlette.staticfiles import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
