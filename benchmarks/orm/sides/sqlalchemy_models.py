"""The tables, as models of SQLAlchemy, and what makes JSON of them."""

import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Columns:
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    age: Mapped[int]
    score: Mapped[float]
    active: Mapped[bool]
    created: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    note: Mapped[str | None]


class Item(Columns, Base):
    __tablename__ = "items"


class Write(Columns, Base):
    __tablename__ = "writes"


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    age: int
    score: float
    active: bool
    created: datetime.datetime
    note: str | None


def serializer() -> TypeAdapter[list[Shown]]:
    """What an application in FastAPI declares as its response model."""
    return TypeAdapter(list[Shown])
