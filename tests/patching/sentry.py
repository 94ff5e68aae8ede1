"""sentry-sdk, with a transport that keeps events and transactions."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.starlette import StarletteIntegration
from sentry_sdk.transport import Transport

_kept: list[dict[str, Any]] = []
_APPLICATIONS = ("tests.patching.application", "tests.patching.fastapi_application")


class Keeping(Transport):
    """Keeps what would be sent."""

    def capture_envelope(self, envelope: Any) -> None:
        for item in envelope.items:
            event = item.get_event() or item.get_transaction_event()
            if event is not None:
                _kept.append(event)


def start(how: str) -> None:
    """Start; `how` is the style of transaction names, and the framework whose integration it is."""
    framework, style = how.split()
    integrations: list[Any] = [StarletteIntegration(transaction_style=style, middleware_spans=True)]
    if framework == "fastapi":
        from sentry_sdk.integrations.fastapi import FastApiIntegration

        integrations.append(FastApiIntegration(transaction_style=style, middleware_spans=True))
    sentry_sdk.init(
        dsn="http://key@localhost/1",
        transport=Keeping,
        traces_sample_rate=1.0,
        send_default_pii=True,
        auto_enabling_integrations=False,
        integrations=integrations,
    )


def attach(app: Any, how: str) -> Any:
    return app


def drain() -> list[Any]:
    """What has been captured since the last call."""
    sentry_sdk.flush()
    told = [_told(event) for event in _kept]
    _kept.clear()
    return told


def finish() -> list[Any]:
    return drain()


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """An event without ids, times, and the frames of anybody but the application."""
    contexts = event.get("contexts", {})
    trace = contexts.get("trace", {})
    labels = {trace.get("span_id"): "transaction"}
    for span in event.get("spans", []):
        parent = labels.get(span.get("parent_span_id"), "unknown")
        if ".receive " in parent or parent.startswith("beside a receive"):
            # Of another task, as a stream has one to receive: whose turn it was is up to the loop.
            parent = "beside a receive"
        labels[span["span_id"]] = f"{parent} > {span.get('op')} {span.get('description')}"
    request = event.get("request")
    return {
        "type": event.get("type", "event"),
        "level": event.get("level"),
        "transaction": event.get("transaction"),
        "transaction_info": event.get("transaction_info"),
        "request": request and {key: str(value) for key, value in sorted(request.items())},
        "user": event.get("user"),
        "tags": event.get("tags"),
        "response": contexts.get("response"),
        "trace": {key: trace.get(key) for key in ("op", "status", "origin")},
        "data": _data(trace.get("data")),
        "exceptions": [
            {
                "type": found["type"],
                "value": found["value"],
                "mechanism": {
                    key: found["mechanism"].get(key) for key in ("type", "handled", "source")
                },
                "frames": [
                    frame["function"]
                    for frame in found["stacktrace"]["frames"]
                    if frame["module"] in _APPLICATIONS
                ],
            }
            for found in event.get("exception", {}).get("values", [])
        ],
        # Sorted: in which order two tasks of a request send and receive is up to the event loop.
        "spans": sorted((_span(span, labels) for span in event.get("spans", [])), key=str),
    }


def _span(span: dict[str, Any], labels: dict[Any, str]) -> dict[str, Any]:
    tags = dict(span.get("tags") or {})
    # Who waits for a disconnect when all is sent is told of it or cancelled, whichever is first.
    waits = str(span.get("op")).endswith(".receive") and tags.pop("status", True)
    return {
        "place": labels[span["span_id"]],
        "origin": span.get("origin"),
        "status": None if waits else span.get("status"),
        "tags": tags,
        "data": _data(span.get("data")),
    }


def _data(data: Any) -> dict[str, str]:
    """Attributes of a span, without the thread's number."""
    return {key: str(value) for key, value in (data or {}).items() if not key.startswith("thread.")}
