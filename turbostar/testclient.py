"""Starlette's own ``starlette.testclient``, under turbostar's name."""

from starlette.testclient import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
