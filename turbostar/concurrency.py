"""Starlette's own ``starlette.concurrency``, under turbostar's name."""

from starlette.concurrency import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
