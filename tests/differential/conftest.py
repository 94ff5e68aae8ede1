"""Fixtures of the differential tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import turbostar
from tests.differential.modes import INSTALL, MIXED, SWAP, Mode


@pytest.fixture(scope="module", params=[SWAP, INSTALL], ids=repr)
def mode(request: pytest.FixtureRequest) -> Mode:
    """The two ways into turbostar, each compared with stock."""
    return request.param


@pytest.fixture(scope="module", params=[SWAP, INSTALL, MIXED], ids=repr)
def any_mode(request: pytest.FixtureRequest) -> Mode:
    """The two ways, and an application that has been migrated by half."""
    return request.param


@pytest.fixture(autouse=True)
def stock_outside() -> Iterator[None]:
    """Nothing is left installed, whatever a test has done."""
    turbostar.uninstall()
    yield
    assert not turbostar.installed()
