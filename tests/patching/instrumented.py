"""Child process: an application, one instrumentation, and turbostar in one mode, in one order.

The case, a JSON object: tool (a module of this package), how (what its `start` takes), framework
(``application`` or ``fastapi_application``), mode (install or swap), first (turbostar or tool).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
from typing import Any

from tests.patching.asking import ASKS, ask
from tests.patching.forks import in_fork, report


def activate(mode: str) -> str:
    """Bring turbostar in, and return the package that the application imports from."""
    if mode == "install":
        importlib.import_module("turbostar").install()
        return "starlette"
    for module in ("applications", "routing", "responses", "requests", "middleware.exceptions"):
        importlib.import_module(f"turbostar.{module}")
    return "turbostar"


async def tell(app: Any, tool: Any) -> list[dict[str, Any]]:
    """Put every request, and add to each outcome what the tool has recorded of it."""
    steps = []
    for question in ASKS:
        step = await ask(app, question)
        steps.append({**step, "recorded": tool.drain()})
    steps.append({"ask": "in the end", "recorded": tool.finish()})
    return steps


def main(case: dict[str, Any]) -> dict[str, Any]:
    """Tell of the application without user middleware, and of the one with."""
    logging.getLogger("turbostar").addHandler(logging.NullHandler())
    tool: Any = importlib.import_module(f"tests.patching.{case['tool']}")
    if case["first"] == "turbostar":
        package = activate(case["mode"])
        tool.start(case["how"])
    else:
        tool.start(case["how"])
        package = activate(case["mode"])

    def serve(middleware: bool) -> list[dict[str, Any]]:
        framework: Any = importlib.import_module(f"tests.patching.{case['framework']}")
        app = tool.attach(framework.build(package, middleware=middleware), case["how"])
        return asyncio.run(tell(app, tool))

    return {
        "bare": in_fork(lambda: serve(False)),
        "with middleware": in_fork(lambda: serve(True)),
    }


if __name__ == "__main__":
    report(main(json.loads(sys.argv[1])))
