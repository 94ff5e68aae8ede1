"""Logfire, with an exporter that keeps spans."""

from __future__ import annotations

from typing import Any

import logfire
from logfire.testing import TestExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.patching.processes import ROOT

_exporter = TestExporter()
#: Times, and a digest of all frames of a traceback, those of a framework included.
_DROPPED = ("timestamp", "exception.fingerprint")


def start(how: str) -> None:
    """Start; `how`: a framework (or asgi), and whether all its applications or one is traced."""
    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(_exporter)],
        inspect_arguments=False,
    )
    # Spans name the innermost function that is a user's: turbostar, installed, is nobody's.
    logfire.add_non_user_code_prefix(str(ROOT / "turbostar"))
    framework, extent = how.split()
    if extent == "all":
        _instrument(framework)


def _instrument(framework: str, app: Any = None) -> None:
    if framework == "fastapi":
        logfire.instrument_fastapi(app, capture_headers=True, extra_spans=True)
    else:
        logfire.instrument_starlette(app, capture_headers=True, record_send_receive=True)


def attach(app: Any, how: str) -> Any:
    framework, extent = how.split()
    if framework == "asgi":
        return logfire.instrument_asgi(app)
    if extent == "one":
        _instrument(framework, app)
    return app


def drain() -> list[Any]:
    """The spans that have ended since the last call."""
    spans = [
        span
        for span in _exporter.exported_spans
        if span.attributes["logfire.span_type"] != "pending_span"
    ]
    _exporter.clear()
    labels = {span.context.span_id: f"{number} {span.name}" for number, span in enumerate(spans)}
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "by": span.instrumentation_scope.name,
            "attributes": {
                key: str(value)
                for key, value in sorted((span.attributes or {}).items())
                if not key.endswith(_DROPPED)
            },
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
    return drain()
