"""Starlette's own ``starlette.templating``, under turbostar's name."""

from starlette.templating import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
