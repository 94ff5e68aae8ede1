"""Rows of the table of accelerations for a library other than Starlette."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from turbostar._guard.sources import VERIFIED_RELEASES, fingerprint, objection
from turbostar._guard.table import Acceleration

_SOURCE = """
__version__ = "2.0"


class Greeter:
    def greet(self):
        return "hello"
"""


def our_greeting(self: object) -> str:
    """Stands in for ``Greeter.greet``."""
    return "hello"


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acceleration:
    """A row for a method of a library that is in no other table."""
    (tmp_path / "greetings_library.py").write_text(_SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "greetings_library", raising=False)
    row = Acceleration("greetings_library:Greeter.greet", f"{__name__}:our_greeting", "")
    return row._replace(fingerprint=fingerprint(row.owner.greet))


def test_a_row_is_judged_by_the_release_of_its_library(row: Acceleration) -> None:
    """By the fingerprint, unless that release was verified; Starlette's says nothing of it."""
    assert row.library == "greetings_library"
    assert objection(row) == ""
    changed = row._replace(fingerprint="0" * 16)
    assert objection(changed) == f"{row.target} has changed in greetings_library 2.0"


def test_a_verified_release_is_not_compared(
    row: Acceleration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Starlette's is not."""
    monkeypatch.setitem(VERIFIED_RELEASES, "greetings_library", frozenset({"2.0"}))
    assert objection(row._replace(fingerprint="0" * 16)) == ""


def test_what_was_replaced_stays(row: Acceleration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's wrapper in another library is left alone, too."""
    monkeypatch.setattr(row.owner, "greet", lambda self: "good morning")
    assert objection(row) == f"{row.target} has been replaced by {__name__}"
