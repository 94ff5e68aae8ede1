"""Print what Starlette's public names look like from outside, as JSON: names, signatures, hints.

``python -m tests.described stock|swap|install``; ``swap`` looks at turbostar's modules.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
import typing
import warnings
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import starlette

import turbostar
from turbostar._attach.mirror import public_names


def outcome(ask: Callable[[], Any]) -> str:
    """What somebody gets who asks, without addresses and without the name of the package."""
    try:
        found = str(ask())
    except (AttributeError, NameError, TypeError, ValueError) as exc:
        return type(exc).__name__
    return re.sub(r" at 0x[0-9a-f]+", "", found).replace("turbostar.", "starlette.")


def described(value: Any) -> dict[str, str]:
    """The signature and the annotations of a class or function, as they stand and evaluated."""
    return {
        "signature": outcome(lambda: inspect.signature(value)),
        "evaluated signature": outcome(lambda: inspect.signature(value, eval_str=True)),
        "hints": outcome(lambda: typing.get_type_hints(value)),
    }


def named(function: FunctionType) -> dict[str, str]:
    """The names that a function goes by."""
    return {
        name: getattr(function, f"__{name}__") for name in ("name", "qualname", "module")
    } | described(function)


def functions(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """The functions that make up a class, also those within properties and the like."""
    for name in sorted({name for part in cls.__mro__ for name in vars(part)}):
        value = inspect.getattr_static(cls, name)
        for function in (value, getattr(value, "fget", None), getattr(value, "__func__", None)):
            if type(function) is FunctionType:
                yield name, function


def everything(package: str) -> dict[str, dict[str, str]]:
    """All public classes and functions of Starlette, as found in its modules or turbostar's."""
    found: dict[str, dict[str, str]] = {}
    for part in pkgutil.walk_packages(starlette.__path__, "starlette."):
        stock = importlib.import_module(part.name)
        module = importlib.import_module(package + part.name.removeprefix("starlette"))
        for name in public_names(stock):
            value = getattr(module, name)
            owner = getattr(getattr(stock, name), "__module__", None) or ""
            if not owner.startswith("starlette"):
                continue
            path = f"{part.name}.{name}"
            if inspect.isclass(value):
                found[path] = described(value)
                for attribute, function in functions(value):
                    found[f"{path}.{attribute}"] = named(function)
            elif callable(value):
                found[path] = described(value)
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # deprecated names are looked at as well
    mode = sys.argv[1]
    if mode == "install":
        turbostar.install()
    sys.stdout.write(json.dumps(everything("turbostar" if mode == "swap" else "starlette")))
