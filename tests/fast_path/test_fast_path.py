"""A shortcut that is lost fails here, by the name of Starlette's function that ran in its place."""

from __future__ import annotations

import pytest

from tests.fast_path.all_cases import CASES
from tests.fast_path.case import Case, check


@pytest.mark.parametrize(
    ("case", "mode"), [(case, mode) for case in CASES for mode in case.modes], ids=str
)
def test_fast_path_is_taken(case: Case, mode: str) -> None:
    """The requests are answered as on stock, and without Starlette's functions."""
    check(case, mode)
