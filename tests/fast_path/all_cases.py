"""All cases: each module of cases adds its own to `CASES` when it is imported."""

from __future__ import annotations

from tests.fast_path import (
    message_cases as message_cases,
    middleware_cases as middleware_cases,
    routing_cases as routing_cases,
)
from tests.fast_path.case import CASES

__all__ = ["CASES"]
