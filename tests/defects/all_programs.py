"""All programs: each module adds its own to `PROGRAMS` when it is imported."""

from __future__ import annotations

from tests.defects import (
    answer_programs as answer_programs,
    change_programs as change_programs,
    error_programs as error_programs,
    json_programs as json_programs,
    middleware_programs as middleware_programs,
    routing_programs as routing_programs,
    stack_programs as stack_programs,
)
from tests.defects.program import PROGRAMS, Program
from tests.fast_path.all_cases import CASES

__all__ = ["ALL"]

#: The programs, and what the fast paths are shown with.
ALL = [*PROGRAMS, *(Program(case.name, case.build) for case in CASES if len(case.modes) > 1)]
