"""New Relic's agent in its developer mode, with transactions that are kept instead of sent."""

from __future__ import annotations

import logging
from typing import Any

import newrelic.agent
from newrelic.common.object_wrapper import wrap_function_wrapper

_kept: list[Any] = []


def _keep(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    _, transaction = args
    _kept.append(_told(transaction))
    return wrapped(*args, **kwargs)


def start(how: str) -> None:
    """Start, and let the agent hook into modules that are there and those that will be imported."""
    logging.getLogger("newrelic").addHandler(logging.NullHandler())
    settings = newrelic.agent.global_settings()
    settings.developer_mode = True
    settings.license_key = "no-license"
    settings.debug.disable_harvest_until_shutdown = True
    settings.package_reporting.enabled = False
    for cloud in ("aws", "azure", "gcp", "pcf"):  # each is asked over the network, for seconds
        setattr(settings.utilization, f"detect_{cloud}", False)
    newrelic.agent.initialize()
    wrap_function_wrapper("newrelic.core.agent", "Agent.record_transaction", _keep)


def attach(app: Any, how: str) -> Any:
    """Register now that this is the process that serves, for it starts threads."""
    newrelic.agent.register_application(timeout=60.0)
    return app


def drain() -> list[Any]:
    """The transactions that have ended since the last call."""
    found = [*_kept]
    _kept.clear()
    return found


def finish() -> list[Any]:
    return drain()


def _told(transaction: Any) -> dict[str, Any]:
    """A transaction without ids and times, and without what its thread was busy with."""
    return {
        "path": transaction.path,
        "type": transaction.type,
        "uri": transaction.request_uri,
        "attributes": {
            attribute.name: str(attribute.value)
            for attribute in sorted(transaction.agent_attributes)
            if not attribute.name.startswith("thread.")
        },
        "errors": [
            [error.type, error.message, str(error.expected)] for error in transaction.errors
        ],
        "tree": _tree(transaction.root),
    }


def _tree(node: Any) -> list[Any]:
    """A call with the calls made in it, in their order; in which files their code lies is left out.

    A swapped class names its own module, as it must to be pickled.
    """
    code = {
        key: str(value).replace("turbostar.", "starlette.")
        for key, value in sorted(node.agent_attributes.items())
        if key in ("code.function", "code.namespace")
    }
    return [type(node).__name__, node.name, code, [_tree(child) for child in node.children]]
