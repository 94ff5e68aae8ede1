"""What a container provides, what of it is used, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from turbostar.di.keys import Key, show
from turbostar.di.providers import Kind, Provider
from turbostar.di.scopes import Scope

if TYPE_CHECKING:
    from turbostar.di.container import Container

__all__ = ["Audit", "Row", "audit"]


@dataclass(frozen=True)
class Row:
    """A provider.

    Attributes:
        provides: the type and name that it is found under.
        by: what makes it, and `where` that is.
        scope: where it lives.
        width: the scope that it can live in at the widest; "transient" ones depend on their needs.
        needs: what it needs, by type.
        users: how many providers and handlers need it directly.
        state: "used", "unreached" (needed only by what no handler reaches), "unused", "shadowed",
            or "given" of context that nobody asks for.
    """

    provides: str
    by: str
    where: str
    scope: str
    width: str
    needs: tuple[str, ...]
    users: int
    state: str


@dataclass(frozen=True)
class Audit:
    """The report of a container.

    Attributes:
        rows: one for each provider, in the order in which they were added.
        edges: who needs what, as pairs of names; handlers come first.
        handlers: the names of the handlers, with their files and lines.
    """

    rows: tuple[Row, ...]
    edges: tuple[tuple[str, str], ...]
    handlers: tuple[str, ...]

    @property
    def unused(self) -> tuple[Row, ...]:
        """Providers that nobody needs, and those needed only by them."""
        return tuple(row for row in self.rows if row.state in ("unused", "unreached"))

    @property
    def shadowed(self) -> tuple[Row, ...]:
        """Providers that others took the place of."""
        return tuple(row for row in self.rows if row.state == "shadowed")


def audit(container: Container) -> Audit:
    """Look at all providers and handlers of a container.

    Raises:
        InjectionError: a fault of the wiring; `Container.validate` lists them all.
    """
    registry = container.wiring.registry
    providers = registry.providers()
    direct: dict[Provider, list[Provider]] = {
        each: [found for need in registry.needs(each) for found in registry.resolve(need) or ()]
        for each in providers
    }
    edges: list[tuple[str, str]] = []
    reached: set[Provider] = set()
    users: dict[Provider, int] = {}
    waiting: list[Provider] = []
    for handler in container.handlers:
        root = handler.call.root
        for need in root.needs:
            for found in registry.resolve(need) or ():
                edges.append((root.label, _name(found)))
                users[found] = users.get(found, 0) + 1
                waiting.append(found)
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += direct.setdefault(
                each,
                [found for need in registry.needs(each) for found in registry.resolve(need) or ()],
            )
    for each, needed in direct.items():
        for found in needed:
            edges.append((_name(each), _name(found)))
            users[found] = users.get(found, 0) + 1
    rows = [
        _row(container, each, direct[each], users.get(each, 0), each in reached)
        for each in direct
        if each.target is not container and each.provides is not Scope
    ]
    rows += [_shadowed(each) for each in registry.shadowed]
    labels = tuple(handler.call.root.label for handler in container.handlers)
    return Audit(tuple(rows), tuple(dict.fromkeys(edges)), labels)


def _name(provider: Provider) -> str:
    key = str(Key(provider.provides, provider.name))
    return key if provider.inner is None else f"{key} ({provider.label})"


def _row(
    container: Container, provider: Provider, needed: list[Provider], users: int, is_reached: bool
) -> Row:
    registry = container.wiring.registry
    width = max([0, *map(registry.width, needed)])
    if provider.kind is Kind.CONTEXT:
        width = registry.width(provider)
    state = "used" if is_reached else "unreached" if users else "unused"
    if provider.kind is Kind.CONTEXT and not is_reached:
        state = "given"
    return Row(
        str(Key(provider.provides, provider.name)),
        "context" if provider.kind is Kind.CONTEXT else provider.label,
        provider.where,
        provider.scope,
        registry.scopes[width],
        tuple(map(_name, needed)),
        users,
        state,
    )


def _shadowed(provider: Provider) -> Row:
    return Row(
        show(provider.provides),
        provider.label,
        provider.where,
        provider.scope,
        provider.scope,
        (),
        0,
        "shadowed",
    )
