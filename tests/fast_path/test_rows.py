"""Each row of the table of accelerations has a case, which fails when the row is lost."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fast_path.all_cases import CASES
from tests.fast_path.case import MODES, Case, Lost, check
from tests.fast_path.structure import check_mounts
from turbostar._guard import swapped
from turbostar._guard.table import TABLE, Acceleration

# The swapped classes are there once their modules have been imported.
for _name in {row.module.__name__ for row in TABLE}:
    importlib.import_module(_name.replace("starlette", "turbostar", 1))

#: What only tells that something has changed: losing it makes no request slow, but some wrong.
#: See `tests/defects`.
THAWING = {row.target for row in TABLE if row.name == "__delattr__"}
#: Alternatives of rows: in install a class inherits what its base was given.
SWAPPED_ONLY = {row.target for row in TABLE if row.is_inherited}
#: For which swapped classes stand in another way, by a class attribute or not at all.
INSTALLED_ONLY = {
    "starlette.responses:Response.init_headers",
    "starlette.responses:Response.render",
    "starlette.responses:Response.set_cookie",
}


def cases_of(row: Acceleration) -> list[Case]:
    return [case for case in CASES if row.target in case.targets]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.target)
def test_row_has_a_case(row: Acceleration) -> None:
    """Whoever adds a row adds the case that shows what it bypasses."""
    if row.target not in THAWING and row.target not in COSTLY:
        assert cases_of(row), f"add a case for {row.target} to tests/fast_path"


def owners(row: Acceleration, mode: str) -> list[type]:
    """The classes that hold our function, in this mode."""
    if mode == "install":
        return [row.owner]
    return [cls for cls, entry in swapped._swapped if entry is row]


@contextmanager
def lost(row: Acceleration, mode: str) -> Iterator[None]:
    """Do as if the table did not have the row."""
    if mode == "install":
        rows = tuple(entry for entry in TABLE if entry is not row)
        import turbostar._attach.install as attach

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attach, "TABLE", rows)
            yield
        return
    with pytest.MonkeyPatch.context() as patch:
        kept = [(cls, entry) for cls, entry in swapped._swapped if entry is not row]
        for cls in owners(row, mode):
            patch.delattr(cls, row.name)
        patch.setattr(swapped, "_swapped", kept)
        yield


#: Rows without which nothing of Starlette's is called, but more of ours.
COSTLY = {"starlette.routing:Router.__init__": check_mounts}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.target)
def test_lost_row_is_seen(row: Acceleration, mode: str) -> None:
    """Without the row, one of its cases says by name what was called."""
    if row.target in THAWING:
        return
    if row.target in (SWAPPED_ONLY if mode == "install" else INSTALLED_ONLY):
        return
    failed: list[Any] = []
    if row.target in COSTLY:
        with lost(row, mode), pytest.raises(Lost, match="calls"):
            COSTLY[row.target](mode)
        return
    with lost(row, mode):
        for case in cases_of(row):
            if mode in case.modes:
                try:
                    check(case, mode)
                except AssertionError as exc:
                    failed.append((case, str(exc)))
    assert failed, f"nobody misses {row.target}"
