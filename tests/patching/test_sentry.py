"""sentry-sdk reports of an application on turbostar what it reports of one on stock Starlette."""

from __future__ import annotations

import pytest

from tests.patching.matrix import compare, each_layers, each_mode, each_order

pytest.importorskip("sentry_sdk", reason="needs sentry-sdk, whose integration is run")


@each_mode
@each_order
@each_layers
def test_events_and_transactions_are_those_of_stock(mode: str, first: str, layers: str) -> None:
    """Events, transactions and spans, named by route: equal in each mode and import order."""
    compare("sentry", "starlette url", mode=mode, first=first, layers=layers)


@each_mode
@each_layers
def test_transactions_are_named_by_endpoint_as_on_stock(mode: str, layers: str) -> None:
    """The other style of names, which asks the scope for the endpoint."""
    compare("sentry", "starlette endpoint", mode=mode, layers=layers)


@each_order
@each_layers
def test_fastapi_is_reported_as_on_stock(first: str, layers: str) -> None:
    """The FastAPI integration on top of Starlette's, with install()."""
    pytest.importorskip("fastapi", reason="needs fastapi, whose integration is run")
    compare(
        "sentry",
        "fastapi url",
        first=first,
        layers=layers,
        framework="fastapi_application",
    )
