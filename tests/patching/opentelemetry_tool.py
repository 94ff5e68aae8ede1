"""OpenTelemetry's instrumentations, with exporters that keep spans and metrics."""

from __future__ import annotations

from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_exporter = InMemorySpanExporter()
_reader = InMemoryMetricReader()


def _instrumentor(framework: str) -> Any:
    if framework == "fastapi":
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        return FastAPIInstrumentor
    from opentelemetry.instrumentation.starlette import StarletteInstrumentor

    return StarletteInstrumentor


def start(how: str) -> None:
    """Start; `how`: a framework (or asgi), and whether all its applications or one is traced."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(_exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([_reader]))
    framework, extent = how.split()
    if extent == "all":
        _instrumentor(framework)().instrument()


def attach(app: Any, how: str) -> Any:
    """Instrument this application, if that is how."""
    framework, extent = how.split()
    if framework == "asgi":
        return OpenTelemetryMiddleware(app)
    if extent == "one":
        _instrumentor(framework).instrument_app(app)
    return app


def drain() -> list[Any]:
    """The spans that have ended since the last call."""
    spans = _exporter.get_finished_spans()
    _exporter.clear()
    labels = {span.context.span_id: f"{number} {span.name}" for number, span in enumerate(spans)}
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "by": span.instrumentation_scope.name,
            "attributes": {key: str(value) for key, value in (span.attributes or {}).items()},
            "status": f"{span.status.status_code.name} {span.status.description}",
            "events": [
                [event.name, {k: str(v) for k, v in event.attributes.items() if "stack" not in k}]
                for event in span.events
            ],
            "parent": span.parent and labels.get(span.parent.span_id, "unknown"),
        }
        for span in spans
    ]


def finish() -> list[Any]:
    """The metrics: how many measurements with which attributes."""
    data: Any = _reader.get_metrics_data()
    return sorted(
        f"{metric.name} {sorted(point.attributes.items())} {getattr(point, 'count', '')}"
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    )
