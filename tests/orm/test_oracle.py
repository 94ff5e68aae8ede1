"""Whatever is done, in whatever order, a database holds what plain dicts would hold."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.orm.oracle.machine import Machine, opened


def test_steps_in_any_order(url: str) -> None:
    """Create, change, delete, query, load, transactions and savepoints, by one task."""
    with asyncio.Runner() as runner:
        database, other = runner.run(opened(url))
        try:

            class OnThisDatabase(Machine):
                pass

            OnThisDatabase.runner = runner
            OnThisDatabase.database, OnThisDatabase.other = database, other
            brief = settings(max_examples=settings.default.max_examples // 3 or 1)
            run_state_machine_as_test(
                OnThisDatabase, settings=settings(brief, stateful_step_count=30)
            )
        finally:
            runner.run(other.close())
            runner.run(database.close())
