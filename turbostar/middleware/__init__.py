"""Starlette's own ``starlette.middleware``, under turbostar's name."""

from typing import TYPE_CHECKING

from turbostar._attach.mirror import mirror

if TYPE_CHECKING:
    from starlette.middleware import *  # noqa: F403

mirror(__name__)
