"""An online shop written with Starlette alone, for verifying and measuring.

Serve it from the repository root with ``uvicorn examples.shop:app``.
"""

from .application import app

__all__ = ["app"]
