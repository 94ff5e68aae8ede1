"""All kinds of changes."""

from __future__ import annotations

# These enter their kinds.
from tests.differential import app_changes, list_changes, route_changes  # noqa: F401
from tests.differential.change import ATTRIBUTES, LISTS, OTHERS, OVERRIDES, any_change

__all__ = ["ATTRIBUTES", "LISTS", "OTHERS", "OVERRIDES", "any_change"]
