"""OpenTelemetry's spans and metrics of an application on turbostar are those of stock."""

from __future__ import annotations

import pytest

from tests.patching.matrix import compare, each_layers, each_mode, each_order

TOOL = "opentelemetry_tool"

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk, to keep spans")
pytest.importorskip(
    "opentelemetry.instrumentation.asgi", reason="needs opentelemetry-instrumentation-asgi"
)


def needs(framework: str) -> None:
    pytest.importorskip(
        f"opentelemetry.instrumentation.{framework}",
        reason=f"needs opentelemetry-instrumentation-{framework}, which is run",
    )


@each_mode
@each_order
@each_layers
def test_every_application_traced(mode: str, first: str, layers: str) -> None:
    """instrument(), which puts a subclass in the place of Starlette."""
    needs("starlette")
    compare(TOOL, "starlette all", mode=mode, first=first, layers=layers)


@each_mode
@each_layers
def test_one_application_traced(mode: str, layers: str) -> None:
    """instrument_app(), on an application that is already built."""
    needs("starlette")
    compare(TOOL, "starlette one", mode=mode, layers=layers)


@each_mode
@each_layers
def test_the_asgi_middleware_around_an_application(mode: str, layers: str) -> None:
    """OpenTelemetryMiddleware(app), which replaces nothing."""
    compare(TOOL, "asgi one", mode=mode, layers=layers)


@each_order
@each_layers
def test_every_fastapi_application_traced(first: str, layers: str) -> None:
    """instrument() for FastAPI, which replaces build_middleware_stack of each instance."""
    needs("fastapi")
    compare(TOOL, "fastapi all", first=first, layers=layers, framework="fastapi_application")


@each_layers
def test_one_fastapi_application_traced(layers: str) -> None:
    """instrument_app() for FastAPI, on an application that is already built."""
    needs("fastapi")
    compare(TOOL, "fastapi one", layers=layers, framework="fastapi_application")
