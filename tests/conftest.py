"""Fixtures and hypothesis profiles of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# The same examples each time, so that a change is judged by what it changes;
# `HYPOTHESIS_PROFILE=random` looks further, `nightly` much further.
settings.register_profile(
    "default",
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
settings.register_profile("brief", settings.get_profile("default"), max_examples=60)
settings.register_profile(
    "random",
    settings.get_profile("default"),
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),  # for a failure to come again
)
settings.register_profile("nightly", settings.get_profile("random"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
