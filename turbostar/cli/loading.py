"""Importing the application that a `module:attribute` target names."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import sys
import sysconfig
import traceback
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["add_app_dir", "load_app"]


def add_app_dir(app_dir: str) -> None:
    """Make the modules of a directory importable, before all others.

    Raises:
        UserError: there is no such directory.
    """
    if app_dir and not os.path.isdir(app_dir):
        raise UserError(f"{app_dir}: no such directory; give an existing one to --app-dir")
    if app_dir not in sys.path[:1]:
        sys.path.insert(0, app_dir)


def load_app(target: str, *, factory: bool = False) -> Any:
    """Import the ASGI application that `target` names, `module:attribute`.

    With `factory`, or if the object can be called without arguments, it is called and what it
    returns is the application; uvicorn decides the same way.

    Raises:
        UserError: there is no such module or attribute, or importing or calling it raised.
    """
    app = import_target(target)
    if not callable(app):
        raise UserError(f"{target}: is a {type(app).__name__}, no ASGI application; name the app")
    if not factory and not _takes_no_arguments(app):
        return app
    try:
        return app()
    except (Exception, SystemExit) as exc:
        raise UserError(f"{target}: calling the factory raised {_cause(exc)}; correct it") from exc


def import_target(target: str) -> Any:
    """Import the object that `target` names, `module:attribute`.

    Raises:
        UserError: there is no such module or attribute, or importing it raised.
    """
    module_name, _, attributes = target.partition(":")
    if not module_name or not attributes:
        raise UserError(f"{target}: names no application; write module:attribute, as in main:app")
    module = _import_module(target, module_name)
    found: Any = module
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            near = difflib.get_close_matches(attribute, vars(module), n=1)
            repair = f"did you mean {near[0]!r}?" if near else "check the name"
            raise UserError(
                f"{target}: module {module_name!r} has no attribute {attributes!r}; {repair}"
            ) from None
    return found


def _import_module(target: str, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        missing = exc.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise UserError(
                f"{target}: there is no module {missing!r} in {_where_looked()}; "
                "check the name or give --app-dir"
            ) from exc
        raise UserError(
            f"{target}: importing it needs the module {missing!r}{_place(exc)}, which is missing; "
            "install it in this environment"
        ) from exc
    except (Exception, SystemExit) as exc:
        raise UserError(f"{target}: importing it raised {_cause(exc)}; correct it") from exc


def _where_looked() -> str:
    return os.path.abspath(sys.path[0]) if sys.path else "sys.path"


def _takes_no_arguments(app: Any) -> bool:
    try:
        inspect.signature(app).bind()
    except (TypeError, ValueError):
        return False
    return True


def _cause(exc: BaseException) -> str:
    text = " ".join(str(exc).split())
    name = type(exc).__name__
    return f"{name}: {text}{_place(exc)}" if text else f"{name}{_place(exc)}"


def _place(exc: BaseException) -> str:
    """Where it was raised: the last line that is neither the standard library's nor installed."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return ""  # its text names the place
    paths = sysconfig.get_paths()
    foreign = (paths["stdlib"], paths["purelib"], paths["platlib"], "<frozen", __file__)
    for frame in reversed(traceback.extract_tb(exc.__traceback__)):
        if not frame.filename.startswith(foreign):
            return f" ({frame.filename}:{frame.lineno})"
    return ""
