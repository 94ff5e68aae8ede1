"""Which library Starlette's TestClient runs on, by the variable TURBOSTAR_TEST_CLIENT."""

from __future__ import annotations

import os
import sys
import warnings

import pytest

if os.environ.get("TURBOSTAR_TEST_CLIENT") == "httpx":
    sys.modules["httpx2"] = None  # type: ignore[assignment]  # as where it is not installed

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Using `httpx`")  # which Starlette deprecates
    from starlette import testclient


@pytest.fixture(autouse=True)
def _expected_client() -> None:
    """The choice was made before anybody else imported the client."""
    wanted = os.environ.get("TURBOSTAR_TEST_CLIENT")
    assert wanted in (None, testclient.httpx.__name__)
