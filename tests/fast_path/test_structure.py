"""Shortcuts that cost calls or tasks of our own where they are lost, and none of Starlette's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fast_path.case import MODES
from tests.fast_path.structure import CHECKS, STAGES, calls_for_ten_mounts, tasks_after_call_next


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_nothing_is_lost(check: Callable[[str], None], mode: str) -> None:
    """What each check says of itself holds."""
    check(mode)


@pytest.mark.parametrize("mode", MODES)
def test_mounts_one_by_one_are_noticed(mode: str) -> None:
    """The control: mounts that cannot be entered together cost several calls each."""
    assert calls_for_ten_mounts(mode, is_hidden=True) > 50


@pytest.mark.parametrize("stage", STAGES)
def test_tasks_that_wait_are_noticed(stage: str) -> None:
    """The control: on stock the application waits for its body to be taken."""
    assert tasks_after_call_next("stock", stage) > 1
