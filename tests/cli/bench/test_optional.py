"""Missing libraries."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from turbostar.cli.bench.command import bench
from turbostar.cli.bench.optional import load, require
from turbostar.cli.errors import UserError


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make modules look as if they were not installed."""
    find_spec = importlib.util.find_spec

    def hide(*names: str) -> None:
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in names else find_spec(name)
        )

    return hide


def test_a_missing_library_names_its_extra(without: Any) -> None:
    """The message says what is missing and what to install."""
    without("psutil", "jinja2")
    with pytest.raises(UserError, match=r'psutil and jinja2, .*"turbostar\[bench\]"'):
        require(["psutil", "uvicorn", "jinja2"])
    with pytest.raises(UserError, match="psutil"):
        load("psutil")


def test_the_command_fails_before_any_work(without: Any) -> None:
    """Without the extra nothing is imported, verified or started."""
    without("psutil")
    with pytest.raises(UserError, match="psutil"):
        bench("no.such.module:app")
