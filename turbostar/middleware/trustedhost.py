"""Starlette's own ``starlette.middleware.trustedhost``, under turbostar's name."""

from starlette.middleware.trustedhost import *  # noqa: F403

from turbostar._mirror import mirror

mirror(__name__)
