"""The libraries of the `bench` extra, loaded when they are needed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["load", "require"]

_EXTRAS = {"psutil": "bench", "jinja2": "bench", "httptools": "cli", "uvicorn": "cli"}


def require(modules: Iterable[str]) -> None:
    """Check that the modules are installed, before any work is done.

    Raises:
        UserError: one is missing; the message says what to install.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        extra = _EXTRAS.get(missing[0])
        package = missing[0] if extra is None else f'"turbostar[{extra}]"'
        raise UserError(
            f"turbostar bench needs {' and '.join(missing)}, not installed here; "
            f"run: pip install {package}"
        )


def load(module: str) -> Any:
    """Import a module of the extra, untyped where it has no types.

    Raises:
        UserError: it is not installed.
    """
    require([module.partition(".")[0]])
    return importlib.import_module(module)
