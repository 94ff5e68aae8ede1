"""What compiling and validating cost."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.di.services import Engine, Repo, Service, Session, Settings
from turbostar.di import Container, Inject

__all__ = ["scale"]


def scale() -> dict[str, float]:
    """Milliseconds for one handler of 300, and for validating 1,000 providers."""
    return {
        "compile a handler, ms": _compile(300),
        "validate 1,000 providers, ms": _validate(1000),
    }


def _compile(count: int) -> float:
    di = Container()
    for each in (Settings, Engine):
        di.add(each, scope="app")
    for each in (Session, Repo, Service):
        di.add(each)
    for _ in range(count):

        async def handle(service: Inject[Service]) -> Service:
            return service

        di.inject(handle)
    start = time.process_time()
    for handler in di.handlers:
        handler.compile()
    return (time.process_time() - start) / count * 1000


def _validate(count: int) -> float:
    di = Container()
    made: list[Any] = []
    for number in range(count):
        cls = type(f"Service{number}", (), {})
        if made:

            def init(self: Any, one: Any, other: Any) -> None: ...

            init.__annotations__ = {"one": made[number // 2], "other": made[number // 3]}
            cls.__init__ = init  # type: ignore[misc]
        made.append(cls)
        di.add(cls)
    start = time.process_time()
    di.validate()
    return (time.process_time() - start) * 1000
