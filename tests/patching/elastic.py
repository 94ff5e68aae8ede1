"""Elastic APM, with a transport that keeps events."""

from __future__ import annotations

from typing import Any

import elasticapm
from elasticapm.instrumentation import register
from elasticapm.transport.base import Transport

_kept: list[Any] = []
_DROPPED = (
    "id",
    "trace_id",
    "transaction_id",
    "timestamp",
    "duration",
    "sample_rate",
    "stacktrace",
)


class Keeping(Transport):
    """Keeps what would be sent."""

    def start_thread(self, pid: int | None = None) -> None:
        """There is nothing to send."""

    def queue(self, event_type: str, data: Any, flush: bool = False) -> None:
        _kept.append((event_type, data))


def _client() -> Any:
    return elasticapm.Client(
        service_name="patching",
        transport_class=f"{__name__}.Keeping",
        framework_name="starlette",
        central_config=False,
        cloud_provider="none",
        metrics_interval="0s",
        capture_body="all",
        disable_log_record_factory=True,
    )


def start(how: str) -> None:
    """Start; `how`: whether one application gets its middleware, or every one by itself."""
    _client()
    if how == "every":
        register.register_wrapper_instrumentations()
    elasticapm.instrument()


def attach(app: Any, how: str) -> Any:
    """Add the middleware to this application, if that is how."""
    if how == "one":
        from elasticapm.contrib.starlette import ElasticAPM

        app.add_middleware(ElasticAPM, client=elasticapm.get_client())
    return app


def drain() -> list[Any]:
    """What has been told of since the last call."""
    labels = {data["id"]: f"{data.get('name')}" for _, data in _kept if "id" in data}
    told = [{"event": kind, **_told(data, labels)} for kind, data in _kept]
    _kept.clear()
    return told


def finish() -> list[Any]:
    return drain()


def _told(data: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """An event without ids, times, and the frames of anybody."""
    told = {key: value for key, value in data.items() if key not in _DROPPED}
    if not str(told.get("culprit")).startswith("tests."):
        told.pop("culprit", None)  # a frame of whoever stood last in a framework
    if "parent_id" in told:
        told["parent_id"] = labels.get(told["parent_id"], "unknown")
    if exception := told.get("exception"):
        told["exception"] = {key: str(exception.get(key)) for key in ("type", "message", "handled")}
    return {key: str(value) for key, value in sorted(told.items())}
