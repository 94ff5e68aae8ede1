"""Handlers that a container supplies: which are compiled, how, and why the others are not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["HandlerReport", "explain_handlers"]


@dataclass(frozen=True)
class HandlerReport:
    """One handler that asks a container for something.

    Attributes:
        name: of the handler.
        where: its file and line.
        run: how it is run, where it is compiled.
        reason: why it is not compiled; empty if it is.
    """

    name: str
    where: str
    run: str
    reason: str = ""


def explain_handlers(app: Any) -> tuple[HandlerReport, ...]:
    """Explain the handlers of an application; none where `turbostar.di` is not used."""
    adapter = sys.modules.get("turbostar.di.starlette")
    if adapter is None:
        return ()
    found = []
    for container in adapter.containers_of(app):
        for handler in container.handlers:
            found.append(_explained(handler))
        for fault in container.handler_faults:
            found.append(HandlerReport("", "", "", f"{fault.number} {fault.cause}"))
    return tuple(found)


def _explained(handler: Any) -> HandlerReport:
    from turbostar.di.errors import InjectionError

    root = handler.call.root
    try:
        source = handler.source
    except InjectionError as fault:
        return HandlerReport(root.label, root.where, "", f"{fault.number} {fault.cause}")
    run = "one function"
    if handler.call.shared is not None:
        run = "one function, in the scope of its request or connection"
    elif "scope = open_scope(" in source:
        run = "one function, with a scope object"
    elif "opened = []" in source:
        run = "one function, with teardown"
    return HandlerReport(root.label, root.where, run)
