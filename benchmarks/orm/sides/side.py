"""What a side is: one library, doing each case in the way its own documentation shows."""

from __future__ import annotations

from typing import Any

from benchmarks.orm.places import Place


class Side:
    """A library on one engine. A case that it has no way for raises `NotImplementedError`.

    What the methods return is checked once, before anything is timed.
    """

    name = ""
    engines: tuple[str, ...] = ("sqlite", "postgresql")
    is_orm = True
    packages: tuple[str, ...] = ()  # distributions, whose versions are shown
    differs = ""  # what this side does otherwise than the others

    def __init__(self, place: Place) -> None:
        self.place = place

    async def start(self) -> None:
        """Connect, and make the tables ``items``, with its hundred rows, and ``writes``."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close all connections."""
        raise NotImplementedError

    async def get(self, key: int) -> Any:
        """The row of that key, as an object."""
        raise NotImplementedError

    async def rows(self) -> list[Any]:
        """The first hundred rows in the order of their keys, as objects."""
        raise NotImplementedError

    async def insert(self, values: dict[str, Any]) -> int:
        """Insert a row into ``writes`` and commit; its key."""
        raise NotImplementedError

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        """Insert all rows into ``writes``, commit; their keys, or None if it cannot tell them."""
        raise NotImplementedError

    def build(self, age: int) -> tuple[str, Any]:
        """Statement and parameters of a query: two filters, an order, a limit."""
        raise NotImplementedError

    def construct(self, values: dict[str, Any]) -> Any:
        """An object of six given fields, as an application makes it."""
        raise NotImplementedError

    def decode(self, stored: list[Any]) -> list[Any]:
        """Objects of rows of eight columns, as the library makes them of what the driver gives."""
        raise NotImplementedError

    def stored(self, values: dict[str, Any]) -> Any:
        """A row of the driver, in the form that `decode` takes."""
        return values

    async def json(self) -> bytes:
        """The first hundred rows as JSON, through objects and the library's own serializer."""
        raise NotImplementedError

    async def json_short(self) -> bytes:
        """The same in the shortest way that the library knows, be it without objects."""
        raise NotImplementedError
