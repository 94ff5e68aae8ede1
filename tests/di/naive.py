"""The oracle: a resolver that is as simple as can be, and slow.

It knows nothing of compilation. What the container makes, in which order, and in which order it is
torn down must be what this does.
"""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Part:
    """A provider in a generated graph: what it needs, where it lives, and how it is made."""

    number: int
    needs: tuple[int, ...]
    scope: str
    kind: str  # class, function, coroutine, generator or asyncgen


class Naive:
    """Resolve parts recursively, noting each construction and teardown."""

    def __init__(self, parts: list[Part], log: list[str]) -> None:
        self.parts = parts
        self.log = log
        self.app: dict[int, Any] = {}
        self.app_opened: list[int] = []

    def resolve(self, number: int, request: dict[int, Any], opened: list[int]) -> Any:
        part = self.parts[number]
        held = {"app": self.app, "request": request}.get(part.scope)
        if held is not None and number in held:
            return held[number]
        stack = self.app_opened if part.scope == "app" else opened
        needed = [self.resolve(each, request, stack) for each in part.needs]
        self.log.append(f"make {number} of {[each[0] for each in needed]}")
        made = (number, *needed)
        if part.kind in ("generator", "asyncgen"):
            stack.append(number)
        if held is not None:
            held[number] = made
        return made

    def request(self, roots: list[int]) -> list[Any]:
        """Resolve what one handler needs, and tear down what lives no longer than it."""
        opened: list[int] = []
        request: dict[int, Any] = {}
        made = [self.resolve(each, request, opened) for each in roots]
        self.log.append("handle")
        self.tear_down(opened)
        return made

    def tear_down(self, opened: list[int]) -> None:
        for number in reversed(opened):
            self.log.append(f"close {number}")

    def close(self) -> None:
        self.tear_down(self.app_opened)
