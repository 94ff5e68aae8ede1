"""Scopes that are put around a task later: as if they had been entered in time."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio import CancelScope

from turbostar._stages import scopes


def run(main: Callable[[], Any]) -> Any:
    """Run a coroutine function on asyncio, where scopes are known."""

    async def known() -> Any:
        assert scopes.is_known()
        return await main()

    return asyncio.run(known())


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def chain() -> list[Any]:
    """The scopes that the current task is in, the innermost first."""
    state = scopes._backend._task_states.get(current())
    scope, found = state and state.cancel_scope, []
    while scope is not None:
        found.append(scope)
        scope = scope._parent_scope
    return found


def test_a_late_scope_is_outside_of_those_entered_meanwhile() -> None:
    """Where the task has entered two since, and left neither."""

    async def main() -> None:
        began = scopes.now()
        with CancelScope() as first, CancelScope() as second:
            late = scopes.enter_late(current(), began, 0)
            assert chain() == [second, first, late]
        assert chain() == [late]
        with scopes.Entered(late):
            pass
        assert chain() == []

    run(main)


def test_a_late_scope_of_a_task_in_none() -> None:
    """It is the one that the task is in, and is left like any other."""

    async def main() -> None:
        late = scopes.enter_late(current(), scopes.now(), 0)
        assert chain() == [late]
        with scopes.Entered(late), CancelScope() as inner:
            assert chain() == [inner, late]
        assert not scopes.has_scope(current())

    run(main)


@pytest.mark.parametrize("is_inner_first", [True, False])
def test_two_late_scopes_stand_in_the_order_of_when_they_began(is_inner_first: bool) -> None:
    """Whichever of them is entered first."""

    async def main() -> None:
        outer, inner = scopes.now(), scopes.now()
        with CancelScope() as own:
            order = [inner, outer] if is_inner_first else [outer, inner]
            late = {began: scopes.enter_late(current(), began, 0) for began in order}
            assert chain() == [own, late[inner], late[outer]]
        with scopes.Entered(late[outer]), scopes.Entered(late[inner]):
            assert chain() == [late[inner], late[outer]]
        assert chain() == []

    run(main)


def test_a_late_scope_stays_within_that_of_the_group_which_the_task_was_given_to() -> None:
    """A task that has begun below a group, and is a host itself, joins the group before it."""

    async def main() -> None:
        group = scopes.enter()

        async def child() -> None:
            began = scopes.now()
            scopes.start_below(group._host_task, current())
            with CancelScope() as own:
                scopes.join_late(group, current())
                late = scopes.enter_late(current(), began, 0)
                found = chain()
                assert found[:2] == [own, late]
                assert found[-1] is group
                assert len(found) == 4
            with scopes.Entered(late):
                pass
            scopes.leave(current())

        await asyncio.create_task(child())
        assert not group._child_scopes
        with scopes.Entered(group):
            pass

    run(main)


def test_a_late_scope_cancels_what_is_within_it() -> None:
    """Its own task, and one that has joined it."""

    async def main() -> list[str]:
        seen: list[str] = []
        began = scopes.now()

        async def child() -> None:
            scopes.start_below(host, current())
            try:
                await anyio.sleep(60)
            except asyncio.CancelledError:
                seen.append("child")
                raise
            finally:
                scopes.leave(current())

        host = current()
        task = asyncio.create_task(child())
        await asyncio.sleep(0)
        with CancelScope():
            late = scopes.enter_late(host, began, 0)
            scopes.join_late(late, task)
        with scopes.Entered(late):
            late.cancel()
            try:
                await anyio.sleep(60)
            finally:
                seen.append("host")
        await asyncio.wait([task])
        return seen

    assert sorted(run(main)) == ["child", "host"]


def test_a_shield_within_a_late_scope_holds() -> None:
    """A scope that was entered before it, shielded, is not reached."""

    async def main() -> str:
        with CancelScope(shield=True) as shield:
            late = scopes.enter_late(current(), scopes.now() - 1, 0)
            late.cancel()
            await asyncio.sleep(0.001)
            assert not shield.cancel_called
        try:
            with scopes.Entered(late):
                await asyncio.sleep(1)
        except asyncio.CancelledError:
            return "not swallowed"
        return "left" if late.cancelled_caught else "not cancelled"

    assert run(main) == "left"


def test_the_parent_of_a_task_is_known_before_it_joins() -> None:
    """anyio tells who has started a task."""

    async def main() -> None:
        host = current()

        async def child() -> tuple[int | None, int]:
            scopes.start_below(host, current())
            return anyio.get_current_task().parent_id, id(host)

        parent, expected = await asyncio.create_task(child())
        assert parent == expected

    run(main)


def test_nothing_is_left_of_scopes() -> None:
    """No cycle of references holds a scope that was left."""

    async def main() -> Any:
        late = scopes.enter_late(current(), scopes.now(), 0)
        with scopes.Entered(late):
            pass
        return weakref.ref(late)

    gc.disable()
    try:
        assert run(main)() is None
    finally:
        gc.enable()
