"""Names that other ORMs have, and what is written here in their place: for messages only."""

from __future__ import annotations

__all__ = ["instead_of"]

_INSTEAD = {
    "objects": "a model is queried itself, as in {0}.filter(...)",
    "DoesNotExist": "it is turbostar.orm.NotFound",
    "MultipleObjectsReturned": "it is turbostar.orm.MultipleFound",
    "where": "say filter(...)",
    "filter_by": "say filter(...)",
    "select": "say filter(...), and values(...) for some of the columns",
    "query": "a model is queried itself, as in {0}.filter(...)",
    "select_related": "say load(..., joined=True)",
    "prefetch_related": "say load(...)",
    "annotate": "say values(name=...), or group(...).aggregate(name=...)",
    "group_by": "say group(...).aggregate(name=...)",
    "select_for_update": 'say lock("update")',
    "last": 'turn the order round, as in order("-id").first()',
    "latest": 'say order("-id").first()',
    "in_bulk": "say filter(id__in=...)",
    "iterator": "say stream(chunk=500)",
    "refresh_from_db": "say refresh()",
    "add": "say save(), or create(...)",
}


def instead_of(model: str, name: str) -> str:
    """The end of a message about a name that is not there: what to write, if that is known."""
    known = _INSTEAD.get(name)
    return "" if known is None else "; " + known.format(model)
