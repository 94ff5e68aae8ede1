"""Accelerates Starlette in place before anything, pytest's plugins included, imports it.

On the path of a run in install, disabled or server mode only, where the last puts turbostar's
protocol class in the place of uvicorn's, too. A pytest plugin would come too late:
plugins of other packages are loaded first and may import Starlette.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys


def _run_next_sitecustomize() -> None:
    here = os.path.dirname(os.path.realpath(__file__))
    others = [entry for entry in sys.path if os.path.realpath(entry) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _install() -> None:
    loaded = [name for name in sys.modules if name.partition(".")[0] == "starlette"]
    if loaded:
        raise RuntimeError(f"{loaded[0]} was imported before turbostar.install()")
    import turbostar

    turbostar.install()
    if os.environ.get("COMPAT_SERVER") == "1":
        _serve()


def _serve() -> None:
    """Put turbostar's protocol class in the place of uvicorn's on httptools."""
    from uvicorn.protocols.http import httptools_impl

    from turbostar.server import HttpProtocol

    vars(httptools_impl)["HttpToolsProtocol"] = HttpProtocol


if os.environ.get("COMPAT_INSTALL") == "1":
    try:
        _install()
    except Exception:
        # Python goes on after an exception here, and stock would be measured against stock.
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)

_run_next_sitecustomize()
