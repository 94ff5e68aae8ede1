"""Changes of a running application, as plain data; the modules beside this one say which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.brief import Brief
from tests.differential.observed import raised
from tests.differential.tables import Choices
from tests.differential.world import World

Effect = Callable[[World, "Change"], Any]
EFFECTS: dict[str, Effect] = {}
#: How each change's `value` is drawn, where it has one.
VALUES: dict[str, Callable[[Choices], Any]] = {}
LISTS: list[str] = []
ATTRIBUTES: list[str] = []
OVERRIDES: list[str] = []
OTHERS: list[str] = []


@dataclass(frozen=True, repr=False)
class Change(Brief):
    """A change; `at` and `to` choose, modulo how many there are, which objects and indices."""

    kind: str
    at: int = 0
    to: int = 0
    value: Any = None

    def apply(self, world: World) -> Any:
        try:
            return EFFECTS[self.kind](world, self)
        except Exception as exc:
            return raised(exc)


def change(
    kind: str, group: list[str], draw: Callable[[Choices], Any] | None = None
) -> Callable[[Effect], Effect]:
    def enter(effect: Effect) -> Effect:
        EFFECTS[kind] = effect
        group.append(kind)
        if draw is not None:
            VALUES[kind] = draw
        return effect

    return enter


def any_change(choose: Choices, group: list[str]) -> Change:
    kind = choose.of(group)
    value = VALUES[kind](choose) if kind in VALUES else None
    return Change(kind, choose.number(0, 5), choose.number(0, 5), value)


def router_of(world: World, step: Change) -> Any:
    # The router of the topmost application is built last, and the one most often wanted.
    return world.routers[-1 - step.at % len(world.routers)]


def routes_of(world: World, step: Change) -> Any:
    return router_of(world, step).routes


def route_of(world: World, step: Change) -> Any:
    # Half the time the one that has just served, for its change shows.
    if step.at < 3 and world.served is not None:
        return world.served
    return world.routes[-1 - (step.at - 3) % len(world.routes)]
