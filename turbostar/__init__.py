"""turbostar: a drop-in acceleration layer for Starlette.

Import ``turbostar.x`` where an application imports ``starlette.x``; or leave the application as it
is and call `install`. ``TURBOSTAR_DISABLE=1`` in the environment turns all of it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turbostar._attach.install import install, installed, uninstall

__all__ = ["__version__", "install", "installed", "uninstall"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when they are asked for: who uses turbostar.orm or turbostar.di alone has no part in
    # what they need, which takes longer to import than the ORM.
    if name in ("install", "installed", "uninstall"):
        from turbostar._attach import install as module

        globals().update({each: getattr(module, each) for each in __all__ if each != "__version__"})
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
