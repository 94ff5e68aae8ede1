"""Starlette's own ``starlette.middleware.opentelemetry``, under turbostar's name."""

from starlette.middleware.opentelemetry import *  # noqa: F403

from turbostar._attach.mirror import mirror

mirror(__name__)
