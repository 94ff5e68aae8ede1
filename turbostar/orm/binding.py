"""Which database a model's queries go to."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from turbostar.orm.engines.faults import closed
from turbostar.orm.errors import OrmError

__all__ = ["bind", "database_of", "register", "unregister"]

_open: list[weakref.ref[Any]] = []
#: What the last one to be closed is called, as long as no other was made since.
_closed: list[str] = []


def _none() -> Any:
    """Stands for the only database while there is none, or more than one."""
    return None


#: The only database there is. A list, so that one look-up finds it.
_only: list[Callable[[], Any]] = [_none]


def _choose() -> None:
    _open[:] = [each for each in _open if each() is not None]
    _only[0] = _open[0] if len(_open) == 1 else _none


def register(database: Any) -> None:
    """A database has been made; as long as it is the only one, every model's queries go to it."""
    _open.append(weakref.ref(database))
    _closed.clear()
    _choose()


def unregister(database: Any) -> None:
    """A database was closed."""
    _open[:] = [each for each in _open if each() not in (None, database)]
    _closed[:] = [database.engine.where.shown]
    _choose()


def bind(model: Any, database: Any) -> None:
    """Sends the queries of a model, and of its subclasses, to this database; None undoes it."""
    type.__setattr__(model, "__turbostar_database__", database)


def database_of(model: Any) -> Any:
    """The database of a model: its own, or the only one there is.

    Raises:
        DatabaseClosed: there was one, which was closed.
        OrmError: there was none, or there are several.
    """
    bound = model.__turbostar_database__
    if bound is not None:
        return bound
    only = _only[0]()
    if only is not None:
        return only
    alive = [database for each in _open if (database := each()) is not None]
    if len(alive) == 1:
        return alive[0]
    if not alive and _closed:
        raise closed(_closed[0])
    if not alive:
        raise OrmError(
            f"{model.__name__} has no database: make one first, "
            'as in db = Database("sqlite:///app.db")'
        )
    raise OrmError(
        f"{model.__name__} could go to {len(alive)} databases: say db.bind({model.__name__}) once, "
        "or .using(db) in the query"
    )
