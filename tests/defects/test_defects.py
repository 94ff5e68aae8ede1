"""Defects planted in turbostar are caught: by a difference from stock, or as a lost fast path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import turbostar
from tests.defects.listed import DEFECTS, LOSSES
from tests.defects.nursery import Nursery
from tests.defects.rewriting import Defect, plant


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def test_nothing_is_caught_without_a_defect(nursery: Nursery) -> None:
    """The control: turbostar as it is answers all programs as stock, on its fast paths."""
    assert nursery.caught("") is None


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_wrong_answer_is_caught(nursery: Nursery, defect: Defect) -> None:
    """A program answers otherwise than on stock."""
    assert nursery.caught(defect.name), f"nothing tells turbostar that {defect.name} from stock"


@pytest.mark.parametrize("defect", LOSSES, ids=lambda defect: defect.name)
def test_lost_fast_path_is_caught(nursery: Nursery, defect: Defect) -> None:
    """A case of tests/fast_path names what was called."""
    assert nursery.caught(defect.name), f"nobody misses what turbostar loses if it {defect.name}"


def test_names_are_told_apart() -> None:
    """No two defects have one name."""
    names = [defect.name for defect in (*DEFECTS, *LOSSES)]
    assert len(names) == len(set(names))


def test_a_snippet_that_is_gone_is_an_error() -> None:
    """A defect whose code has changed must be pointed at what does that now."""
    with pytest.raises(LookupError, match="is in no module, not in one, once"):
        plant(Defect("is out of date", "this stands nowhere", ""))
    with pytest.raises(LookupError, match=r"is in \[.*\], not in one, once"):
        plant(Defect("is not exact", "return", ""))


def test_a_defect_cannot_be_planted_too_late() -> None:
    """Where turbostar was imported already, nothing would change."""
    assert turbostar
    with pytest.raises(RuntimeError, match="imported already"):
        plant(DEFECTS[0])
