"""New Relic, Elastic APM, Logfire and Scout report of turbostar what they report of stock."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from tests.patching.matrix import compare, each_layers, each_mode, each_order


def needs(package: str, *case: str) -> Any:
    """A case for a package, which is not imported here, for it would hook in: the case runs it."""
    missing = importlib.util.find_spec(package) is None
    reason = f"needs {package}, which is run: pip install --group monitors"
    return pytest.param(*case, marks=pytest.mark.skipif(missing, reason=reason), id=" ".join(case))


@each_mode
@each_order
@each_layers
@pytest.mark.parametrize(
    ("tool", "how"),
    [
        needs("newrelic", "new_relic", "starlette"),
        needs("elasticapm", "elastic", "every"),
        needs("logfire", "logfire_tool", "starlette all"),
        needs("scout_apm", "scout", "imported"),
    ],
)
def test_every_application_is_reported_as_on_stock(
    tool: str, how: str, mode: str, first: str, layers: str
) -> None:
    """What the agent hooks into for all: equal in each mode and import order."""
    compare(tool, how, mode=mode, first=first, layers=layers)


@each_mode
@each_layers
@pytest.mark.parametrize(
    ("tool", "how"),
    [
        needs("elasticapm", "elastic", "one"),
        needs("logfire", "logfire_tool", "starlette one"),
        needs("logfire", "logfire_tool", "asgi one"),
    ],
)
def test_one_application_is_reported_as_on_stock(
    tool: str, how: str, mode: str, layers: str
) -> None:
    """What is added to an application that is already built."""
    compare(tool, how, mode=mode, layers=layers)


@each_order
@each_layers
@pytest.mark.parametrize(
    ("tool", "how"),
    [
        needs("newrelic", "new_relic", "fastapi"),
        needs("elasticapm", "elastic", "one"),
        needs("logfire", "logfire_tool", "fastapi all"),
        needs("scout_apm", "scout", "imported"),
    ],
)
def test_a_fastapi_application_is_reported_as_on_stock(
    tool: str, how: str, first: str, layers: str
) -> None:
    """Their integrations of FastAPI, with install()."""
    pytest.importorskip("fastapi", reason="needs fastapi, whose integration is run")
    compare(tool, how, first=first, layers=layers, framework="fastapi_application")
