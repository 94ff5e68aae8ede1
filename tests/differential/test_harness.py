"""The differential tests can fail: each of many small defects is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings, strategies as st

from tests.differential.broken import BROKEN, mode
from tests.differential.build import check
from tests.differential.changes import ATTRIBUTES, LISTS, OTHERS
from tests.differential.drive import Difference
from tests.differential.modes import INSTALL, STOCK, SWAP, Mode
from tests.differential.test_concurrency import check_interleaved, interleaved
from tests.differential.test_dispatch import HTTP, RAISING, check_endpoint, check_exception, served
from tests.differential.test_mutation import changing
from tests.differential.test_routing import requests, reversals
from turbostar._switch import DISABLED

Check = Callable[[Mode, Any], None]
SEARCHES: dict[str, tuple[Any, Check]] = {
    "requests": (requests(), check),
    "urls": (reversals(), check),
    "changed lists": (changing(LISTS), check),
    "changed routes": (changing(ATTRIBUTES), check),
    "other changes": (changing(OTHERS), check),
    "served": (served(), check),
    "endpoints": (st.sampled_from(HTTP), check_endpoint),
    "exceptions": (st.sampled_from(RAISING), check_exception),
    "interleaved": (interleaved(), check_interleaved),
}


def search(name: str, broken: Mode, most: int = 400) -> None:
    """Look for a difference among as many examples as CI generates, always the same ones."""
    strategy, compared = SEARCHES[name]

    @given(case=strategy)
    @settings(
        max_examples=most,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        print_blob=False,
    )
    def look(case: Any) -> None:
        compared(broken, case)

    look()


@pytest.mark.parametrize("defect", BROKEN)
def test_a_defect_is_noticed(defect: str) -> None:
    """A router that is wrong in one respect does not pass for stock."""
    with pytest.raises(Difference):
        search(BROKEN[defect][0], mode(defect))


@pytest.mark.parametrize("name", SEARCHES)
def test_stock_equals_stock(name: str) -> None:
    """What differs differs because of the defect: two runs of stock are always the same."""
    search(name, STOCK, most=5 if name in ("endpoints", "exceptions") else 60)


@pytest.mark.skipif(DISABLED, reason="turbostar is turned off: the modes are stock")
def test_the_modes_are_not_stock() -> None:
    """The comparisons are not of stock with itself."""
    names = SWAP.namespace()
    assert names.JSONResponse is not STOCK.namespace().JSONResponse
    before = dict(vars(STOCK.namespace().JSONResponse))
    with INSTALL.active():
        assert dict(vars(STOCK.namespace().JSONResponse)) != before
    assert dict(vars(STOCK.namespace().JSONResponse)) == before
