"""Starlette's own ``starlette.middleware.wsgi``, under turbostar's name."""

from starlette.middleware.wsgi import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
