"""turbostar mirrors every public name of the installed Starlette."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import starlette

from turbostar._attach.mirror import public_names

MODULES = sorted(
    module.name.removeprefix("starlette.")
    for module in pkgutil.walk_packages(starlette.__path__, "starlette.")
)


def twins(name: str) -> tuple[ModuleType, ModuleType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated modules and names are mirrored as well
        return importlib.import_module(f"starlette.{name}"), importlib.import_module(
            f"turbostar.{name}"
        )


def test_the_installed_starlette_has_the_modules_known_here() -> None:
    """The enumeration works: it finds the modules that Starlette has had for years."""
    assert {"applications", "routing", "responses", "middleware.base", "_utils"} <= set(MODULES)


def signature(method: Callable[..., object]) -> inspect.Signature:
    """A method's signature; ours say in an annotation what `self` is, Starlette's do not."""
    found = inspect.signature(method)
    parameters = [
        parameter.replace(annotation=parameter.empty) if parameter.name == "self" else parameter
        for parameter in found.parameters.values()
    ]
    annotation = found.return_annotation
    if getattr(method, "__name__", "").endswith("_init") or method.__name__ == "__init__":
        annotation = found.empty  # Starlette says None for some, and nothing for others
    return found.replace(parameters=parameters, return_annotation=annotation)


def shape(called: Any) -> inspect.Signature:
    """The signature of a class or function as a caller sees it."""
    found = inspect.signature(called)
    return found.replace(return_annotation=found.empty) if inspect.isclass(called) else found


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_starlettes_or_a_subclass(name: str) -> None:
    """What is not replaced is the same object; what is replaced subclasses it or has its shape."""
    stock, ours = twins(name)
    for public in public_names(stock):
        theirs, mine = getattr(stock, public), getattr(ours, public)
        if mine is theirs:
            continue
        if inspect.ismodule(theirs):  # a package holds its submodules, each its own mirror
            assert mine.__name__ == theirs.__name__.replace("starlette", "turbostar")
            continue
        if inspect.isclass(theirs):
            assert mine.__mro__[1] is theirs
            assert mine.__name__ == theirs.__name__
        else:
            assert callable(mine)
        assert shape(mine) == shape(theirs)


@pytest.mark.parametrize("name", MODULES)
def test_replaced_classes_keep_every_signature(name: str) -> None:
    """A replaced method takes the same arguments, with the same defaults and annotations."""
    stock, ours = twins(name)
    for public in public_names(stock):
        theirs, mine = getattr(stock, public), getattr(ours, public)
        if mine is theirs or not inspect.isclass(theirs):
            continue
        for attribute, value in vars(theirs).items():
            if inspect.isfunction(value):
                replaced = inspect.getattr_static(mine, attribute)
                assert signature(replaced) == signature(value), attribute
                assert inspect.iscoroutinefunction(replaced) == inspect.iscoroutinefunction(value)
                assert inspect.isasyncgenfunction(replaced) == inspect.isasyncgenfunction(value)


@pytest.mark.parametrize("name", MODULES)
def test_star_import_brings_in_what_it_does_in_starlette(name: str) -> None:
    """``from turbostar.x import *`` binds the names that ``from starlette.x import *`` does."""
    stock, ours = twins(name)
    assert set(public_names(stock)) <= set(public_names(ours))


def test_modules_without_a_replacement_are_starlettes_own() -> None:
    """A module in which nothing is replaced is Starlette's module object itself."""
    stock, ours = twins("background")
    assert ours is stock


def test_deprecated_status_names_warn_as_stock() -> None:
    """The lazy warnings of ``starlette.status`` come from the mirror as well."""
    from starlette.exceptions import StarletteDeprecationWarning

    from turbostar import status

    with pytest.warns(StarletteDeprecationWarning, match="HTTP_422_UNPROCESSABLE_CONTENT"):
        assert status.HTTP_422_UNPROCESSABLE_ENTITY == 422
    with pytest.raises(AttributeError):
        _ = status.HTTP_999_NO_SUCH_STATUS  # type: ignore[attr-defined]


def test_patching_a_global_through_the_mirror_reaches_starlette(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is not replaced is set in Starlette's module, and restored there."""
    stock, ours = twins("responses")
    original = stock.guess_type
    with monkeypatch.context() as patch:
        patch.setattr("turbostar.responses.guess_type", lambda path: ("text/x-patched", None))
        assert stock.guess_type("a.html") == ("text/x-patched", None)
        assert ours.guess_type is stock.guess_type
    assert stock.guess_type is original
    assert ours.guess_type is original
    with mock.patch("turbostar.responses.guess_type") as patched:
        assert stock.guess_type is patched
    assert stock.guess_type is original


def test_patching_a_replaced_name_stays_in_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is replaced is set in turbostar's module only."""
    stock, ours = twins("responses")
    original = stock.JSONResponse
    monkeypatch.setattr("turbostar.responses.JSONResponse", stock.Response)
    assert stock.JSONResponse is original
    assert ours.JSONResponse is stock.Response


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The error names turbostar's module."""
    _, ours = twins("responses")
    with pytest.raises(AttributeError, match=r"'turbostar\.responses' has no attribute 'Nothing'"):
        _ = ours.Nothing


def test_dir_lists_both() -> None:
    """``dir()`` of a mirror lists Starlette's names, also those not replaced."""
    _, ours = twins("responses")
    assert {"JSONResponse", "StreamingResponse"} <= set(dir(ours))


@pytest.mark.parametrize(
    ("module", "missing", "says"),
    [
        ("templating", "jinja2", "jinja2"),
        ("testclient", "httpx2,httpx", "httpx"),
        ("middleware.sessions", "itsdangerous", "itsdangerous"),
    ],
)
def test_optional_dependencies_fail_as_in_starlette(module: str, missing: str, says: str) -> None:
    """Without an optional dependency the mirror fails as its twin does, with the same error."""
    program = """
import importlib, sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
try:
    imported = importlib.import_module(sys.argv[1])
    if "templating" in sys.argv[1]:
        imported.Jinja2Templates(directory=".")
except BaseException as error:
    print(type(error).__name__, error)
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, f"{package}.{module}", missing],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for package in ("starlette", "turbostar")
    ]
    assert outputs[0] == outputs[1]
    assert says in outputs[0]


def test_disabled_every_module_is_starlettes() -> None:
    """With TURBOSTAR_DISABLE=1 every name is stock, and install() only logs."""
    program = """
import importlib, logging, sys, warnings
warnings.simplefilter("ignore")
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
for name in sys.argv[1].split(","):
    ours = importlib.import_module("turbostar." + name)
    stock = importlib.import_module("starlette." + name)
    for key, value in list(vars(stock).items()):
        if not key.startswith("__"):
            assert key == name.rpartition(".")[2] or getattr(ours, key) is value, (name, key)
import turbostar
from starlette.responses import JSONResponse
before = dict(vars(JSONResponse))
turbostar.install()
assert not turbostar.installed()
assert dict(vars(JSONResponse)) == before
"""
    names = [name for name in MODULES if name != "middleware"]
    done = subprocess.run(
        [sys.executable, "-c", program, ",".join(names)],
        capture_output=True,
        text=True,
        env={"TURBOSTAR_DISABLE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "TURBOSTAR_DISABLE is set: Starlette stays stock\n"
