"""The tables, as models of Tortoise."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Columns(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    email = fields.CharField(max_length=100)
    age = fields.IntField()
    score = fields.FloatField()
    active = fields.BooleanField()
    created = fields.DatetimeField()
    note = fields.TextField(null=True)

    class Meta:
        abstract = True


class Item(Columns):
    class Meta:
        table = "items"


class Write(Columns):
    class Meta:
        table = "writes"
