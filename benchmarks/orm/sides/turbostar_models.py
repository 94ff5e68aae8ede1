"""The tables, as models of turbostar.orm."""

from __future__ import annotations

import datetime

from turbostar.orm import Col, Model, col, pk


class Columns(Model, abstract=True):
    id: Col[int] = pk()
    name: Col[str]
    email: Col[str]
    age: Col[int]
    score: Col[float]
    active: Col[bool]
    created: Col[datetime.datetime]
    note: Col[str | None] = col(default=None)


class Item(Columns, table="items"):
    pass


class Write(Columns, table="writes"):
    pass
