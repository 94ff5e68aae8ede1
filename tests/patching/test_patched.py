"""Whoever replaces a function of Starlette's, at any time, is called as often as on stock."""

from __future__ import annotations

import pytest

from tests.patching.matrix import each_mode
from tests.patching.patched import courses, name
from tests.patching.processes import assert_same, outcome

COURSES = [pytest.param(*course, id=name(*course)) for course in courses()]


@each_mode
@pytest.mark.parametrize(("target", "when", "style"), COURSES)
def test_a_patch_is_called_as_on_stock(mode: str, target: str, when: str, style: str) -> None:
    """Same answers and same calls of the patch, among all other events: while it is there, and
    once it is removed."""
    course = name(target, when, style)
    stock = outcome("patched", disabled=True, mode="install")[course]
    assert_same(stock, outcome("patched", mode=mode)[course])


@pytest.mark.parametrize(("target", "when", "style"), COURSES)
def test_the_patch_is_called_at_all(target: str, when: str, style: str) -> None:
    """What is compared above is not nothing: on stock, somebody calls each patch."""
    steps = outcome("patched", disabled=True, mode="install")[name(target, when, style)]
    told = target.partition(":")[2] or target
    assert any(told in step["log"] for step in steps)
