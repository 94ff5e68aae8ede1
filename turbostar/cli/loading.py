"""Importing the application that a `module:attribute` target names."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import pathlib
import sys
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.applications import Starlette

from turbostar.cli.errors import UserError

__all__ = ["APPLICATION", "Kind", "add_app_dir", "import_target", "load_app"]


class Kind(NamedTuple):
    """What a target is to name, as messages call it."""

    name: str
    full_name: str
    attribute: str
    """As in `main:app`."""
    alone: str
    """What a module holds one of, if its name alone is enough."""
    otherwise: str
    """What to do if it holds none; `{name}` is the module's."""
    is_one: Callable[[Any], bool]
    can_be: Callable[[Any], bool]
    """Whether an object that the target names can be used."""


APPLICATION = Kind(
    name="application",
    full_name="ASGI application",
    attribute="app",
    alone="Starlette or FastAPI application",
    otherwise="write {name}:NAME for another object, or for a function that returns one",
    is_one=lambda found: isinstance(found, Starlette),
    can_be=callable,
)


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
    """Import the ASGI application that `target` names, as `import_target` takes it.

    With `factory`, or if the object can be called without arguments, it is called and what it
    returns is the application; uvicorn decides the same way.

    Raises:
        UserError: there is no such module or attribute, or importing or calling it raised.
    """
    app = import_target(target)
    if not factory and not _takes_no_arguments(app):
        return app
    try:
        return app()
    except (Exception, SystemExit) as exc:
        raise UserError(f"{target}: calling the factory raised {_cause(exc)}; correct it") from exc


def import_target(target: str, kind: Kind = APPLICATION) -> Any:
    """Import the object that `target` names.

    That is `module:attribute`. The module may be written as its file, `main.py` or `./main`, and
    the attribute be left out if the module has one object of this kind.

    Raises:
        UserError: there is no such module or attribute, the module has several of the kind or
            none, the object cannot be one, or importing it raised.
    """
    named, _, attributes = target.partition(":")
    module_name = _module_name(target, named, kind)
    module = _import_module(target, module_name)
    if not attributes:
        attributes = _only_one(target, module, module_name, kind)
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
    if not kind.can_be(found):
        type_name = type(found).__name__
        raise UserError(
            f"{target}: is of type {type_name}, which is no {kind.full_name}; "
            f"name the {kind.attribute}"
        )
    return found


def _module_name(target: str, named: str, kind: Kind) -> str:
    """The name of a module that may be written as a path, seen from where modules are looked up."""
    path = pathlib.PurePath(named)
    if not named or "://" in target:
        raise UserError(
            f"{target}: names no {kind.name}; write module:attribute, as in main:{kind.attribute}"
        )
    if path.suffix != ".py" and len(path.parts) == 1 and named == path.name:
        return named
    if path.is_absolute() or ".." in path.parts or not path.name:
        name = f"{path.stem}:{kind.attribute}"
        repair = f"--app-dir {path.parent} {name}" if path.name else f"main:{kind.attribute}"
        raise UserError(f"{target}: is outside of the directory of modules; write {repair}")
    return ".".join(path.with_suffix("").parts if path.suffix == ".py" else path.parts)


def _only_one(target: str, module: Any, name: str, kind: Kind) -> str:
    """The name of the one object of a kind in a module."""
    found: dict[str, Any] = {
        attribute: value
        for attribute, value in vars(module).items()
        if kind.is_one(value) and not attribute.startswith("_")
    }
    if len({id(value) for value in found.values()}) == 1:
        return next(iter(found))
    if found:
        choices = " or ".join(f"{name}:{attribute}" for attribute in found)
        raise UserError(f"{target}: module {name!r} has several {kind.name}s; write {choices}")
    raise UserError(
        f"{target}: module {name!r} holds no {kind.alone} by itself; "
        f"{kind.otherwise.format(name=name)}"
    )


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
