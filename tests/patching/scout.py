"""Scout APM, with a queue of commands that nobody sends."""

from __future__ import annotations

from typing import Any

from scout_apm.core.agent.socket import CoreAgentSocketThread
from scout_apm.core.config import scout_config
from scout_apm.core.samplers.thread import SamplersThread

_kept: list[Any] = []


def _keep(command: Any) -> None:
    """Keep a batch, and not what is told of the environment when the agent starts."""
    message = command.message()
    if "BatchCommand" in message:
        _kept.append(message)


def start(how: str) -> None:
    """Start without the core agent, a program that is downloaded."""
    scout_config.set(
        monitor=True,
        name="patching",
        key="no-key",
        core_agent_download=False,
        core_agent_launch=False,
        errors_enabled=False,
        shutdown_timeout_seconds=0.0,
    )
    CoreAgentSocketThread.send = _keep
    SamplersThread.ensure_started = lambda: None
    if how == "imported":
        import scout_apm.async_.starlette  # noqa: F401


def attach(app: Any, how: str) -> Any:
    from scout_apm.async_.starlette import ScoutMiddleware

    app.add_middleware(ScoutMiddleware)
    return app


def drain() -> list[Any]:
    """The requests and jobs that have ended since the last call: their commands, in their order."""
    found = [
        [told for command in message["BatchCommand"]["commands"] if (told := _told(command))]
        for message in _kept
    ]
    _kept.clear()
    return found


def finish() -> list[Any]:
    return drain()


def _told(command: dict[str, Any]) -> list[str] | None:
    """A command without ids and times; none at all of one that tells of memory.

    A swapped class, where it is the endpoint, names its own module, as it must to be pickled.
    """
    ((kind, fields),) = command.items()
    if "mem_delta" in fields.values() or str(fields.get("tag")).endswith("allocations"):
        return None
    told = [kind, "has a parent" if fields.get("parent_id") else "has none"]
    told += [str(fields[key]) for key in ("operation", "tag", "value") if key in fields]
    return [text.replace("turbostar.", "starlette.") for text in told]
