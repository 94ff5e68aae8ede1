"""A database made of dicts: rows by key, copied whole for each transaction."""

from __future__ import annotations

import copy
from typing import Any

Row = dict[str, Any]


class Violation(Exception):
    """A row would break a constraint: ``unique`` or ``foreign key``."""


class PlainDatabase:
    """Two tables, ``shelves`` and ``things``, and a stack of what was there before."""

    def __init__(self) -> None:
        self.shelves: dict[int, Row] = {}
        self.things: dict[int, Row] = {}
        self.before: list[tuple[dict[int, Row], dict[int, Row]]] = []

    # Transactions

    def begin(self) -> None:
        self.before.append((copy.deepcopy(self.shelves), copy.deepcopy(self.things)))

    def commit(self) -> None:
        self.before.pop()

    def rollback(self) -> None:
        self.shelves, self.things = self.before.pop()

    def committed(self) -> tuple[dict[int, Row], dict[int, Row]]:
        """What others see."""
        return self.before[0] if self.before else (self.shelves, self.things)

    # Rows

    def may_be_shelf(self, label: str, own: int | None = None) -> bool:
        return all(row["label"] != label for key, row in self.shelves.items() if key != own)

    def may_be_thing(self, values: Row, own: int | None = None) -> bool:
        name = values["name"]
        if any(row["name"] == name for key, row in self.things.items() if key != own):
            return False
        return values["shelf"] is None or values["shelf"] in self.shelves

    def put_thing(self, key: int, values: Row) -> None:
        self.things[key] = {"id": key, **copy.deepcopy(values)}

    def delete_shelves(self, keys: set[int]) -> None:
        """With all that stands on them."""
        for key in keys:
            del self.shelves[key]
        for key in [key for key, row in self.things.items() if row["shelf"] in keys]:
            del self.things[key]
