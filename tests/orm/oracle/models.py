"""The models that are compared with plain dicts."""

from __future__ import annotations

from typing import Any

from turbostar.orm import Col, Many, Model, Ref, col, fk, pk, reverse


class Shelf(Model, table="oracle_shelves"):
    id: Col[int] = pk()
    label: Col[str] = col(unique=True)
    things: Many[Thing] = reverse("shelf")


class Thing(Model, table="oracle_things"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    size: Col[int | None] = None
    weight: Col[float] = 0.0
    data: Col[dict[str, Any]] = col(default_factory=dict)
    shelf: Ref[Shelf | None] = fk(on_delete="cascade")


MODELS = (Shelf, Thing)
