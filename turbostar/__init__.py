"""turbostar: a drop-in acceleration layer for Starlette.

Import ``turbostar.x`` where an application imports ``starlette.x``; or leave the application as it
is and call `install`. ``TURBOSTAR_DISABLE=1`` in the environment turns all of it off.
"""

from __future__ import annotations

from turbostar._attach.install import install, installed, uninstall

__all__ = ["__version__", "install", "installed", "uninstall"]

__version__ = "0.1.0"
