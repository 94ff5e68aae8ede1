"""A fixture for pytest: ``pytest_plugins = ["turbostar.di.testing"]`` in ``conftest.py``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from turbostar.di.container import Container

__all__ = ["di_override"]


@pytest.fixture
def di_override() -> Iterator[Callable[[Container, Mapping[Any, Any]], None]]:
    """A function that overrides what a container provides until the end of the test.

    ``di_override(di, {Clock: FixedClock()})`` does what `Container.override` does. What is called
    last is undone first.
    """
    with contextlib.ExitStack() as stack:

        def override(container: Container, values: Mapping[Any, Any]) -> None:
            stack.enter_context(container.override(values))

        yield override
