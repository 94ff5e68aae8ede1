"""When a task may begin on top of its creator."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from turbostar._stages.tasks import may_start_eagerly, nested

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="tasks start eagerly since Python 3.12"
)


async def nothing() -> None:
    """Stands for a task."""


def test_a_loop_as_it_is_made() -> None:
    """On asyncio's own loop, with nothing in the way."""

    async def main() -> bool:
        return may_start_eagerly(asyncio.get_running_loop())

    assert asyncio.run(main())


def test_whoever_wants_to_know_of_tasks_is_told() -> None:
    """Not past a task factory, nor past a replaced create_task, on the class or the loop."""

    async def main(monkeypatch: pytest.MonkeyPatch) -> None:
        loop: Any = asyncio.get_running_loop()
        original = loop.create_task

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return original(*args, **kwargs)

        for owner in (loop, type(loop)):
            with monkeypatch.context() as patch:
                patch.setattr(owner, "create_task", wrapped, raising=False)
                assert not may_start_eagerly(loop)
            assert may_start_eagerly(loop)
        loop.set_task_factory(lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop))
        assert not may_start_eagerly(loop)
        loop.set_task_factory(None)
        assert may_start_eagerly(loop)

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(main(monkeypatch))


def test_not_while_an_exception_is_handled() -> None:
    """It would become the context of whatever the task raises."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        try:
            raise ValueError
        except ValueError:
            assert not may_start_eagerly(loop)
        assert may_start_eagerly(loop)

    asyncio.run(main())


def test_not_upon_too_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the frames of the others below it."""

    async def main() -> bool:
        return may_start_eagerly(asyncio.get_running_loop())

    monkeypatch.setattr(nested(), "tasks", 10)
    assert not asyncio.run(main())
