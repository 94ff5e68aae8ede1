"""ddtrace's spans of an application on turbostar are those of stock."""

from __future__ import annotations

import importlib.util

import pytest

from tests.patching.matrix import compare, each_layers, each_mode, each_order

# Not importorskip: importing ddtrace would hook into this process, which has other tests to run.
if importlib.util.find_spec("ddtrace") is None:
    pytest.skip("needs ddtrace, which is run", allow_module_level=True)


@each_mode
@each_order
@each_layers
def test_spans_are_those_of_stock(mode: str, first: str, layers: str) -> None:
    """Names, resources, tags and parents: equal in each mode and import order."""
    compare("datadog", "starlette", mode=mode, first=first, layers=layers)


@each_order
@each_layers
def test_spans_of_fastapi_are_those_of_stock(first: str, layers: str) -> None:
    """The FastAPI integration, with install()."""
    pytest.importorskip("fastapi", reason="needs fastapi, whose integration is run")
    compare("datadog", "fastapi", first=first, layers=layers, framework="fastapi_application")
