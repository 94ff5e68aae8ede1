"""The tasks of calls that go on, and how they end: what anyio's task group does, for eager tasks.

A task group of anyio's starts its tasks itself, in the loop's next turn. These have been started,
and most have ended, before anybody need know of them. What is left is waited for in the same way,
with the same cancel scope.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Future, Task, sleep
from collections.abc import Sequence
from typing import Any

from anyio import CancelScope

from turbostar._stages.due import Queues, callbacks_due, take_turns, turns_due
from turbostar._stages.scopes import Entered, enter, enter_late, has_scope, is_by_scope, now

__all__ = ["Group"]


class Group:
    """The tasks of calls that have not ended.

    Attributes:
        queues: what the loop has to do, where it is one of uvloop's; see `queues_of`.
        host: the task that waits for them.
        answer: the complete response that one of them has left; None if none has.
        group: the cancel scope that they belong to, which the host is in; None until it is needed.
        running: these tasks.
        is_left: whether the host waits for no more of them.
        is_over: whether all have ended, and none may be started.
    """

    loop: AbstractEventLoop
    queues: Queues | None = None
    host: Any
    answer: Any = None
    group: Any = None
    _began = 0
    _cancelling = 0
    running: Sequence[Task[Any]] = ()
    is_left = False
    is_over = False
    _fatal: Sequence[BaseException] = ()
    _is_last_unheard = False
    _ended: Future[None] | None = None

    def begin(self, host: Any) -> None:
        """Let a task be the host, from now on until it has called `finish` or `give_up`."""
        self.host = host
        if has_scope(host):
            self.group = enter()
        else:
            self._began = now()
            self._cancelling = host.cancelling()

    def enter_group(self) -> Any:
        """Return the scope, which the host has been in from the beginning."""
        if self.group is None:
            self.group = enter_late(self.host, self._began, self._cancelling)
        return self.group

    def watch(self, task: Task[Any]) -> None:
        """Let a task be one of those that are waited for."""
        self.running = [*self.running, task]
        task.add_done_callback(self._on_end)

    def end_at_once(self, task: Any, awaited: int | None) -> None:
        """Let a call be over that is about to end its task without an error, and was the last.

        A turn of the loop before its task would tell, if nobody else is told of that.

        Args:
            awaited: how many callbacks are due that let the host go on, where it need not wait for
                the end; None where it is to.
        """
        if self.running != [task] or len(task._callbacks) != 1 or task._must_cancel:
            return
        ended = self._ended
        if ended is not None and ended.done():
            ended = None
        if callbacks_due(self.loop, self.queues) == (awaited if ended is None else 0):
            task.remove_done_callback(self._on_end)
            self.running = ()
            if ended is not None:
                ended.set_result(None)

    def _on_end(self, task: Task[Any]) -> None:
        self.running = [other for other in self.running if other is not task]
        if self._ended is not None and not self.running and not self._ended.done():
            self._ended.set_result(None)
        try:
            fatal = task.exception()
        except CancelledError:  # which a task no longer holds, with all its frames, once it is told
            gives_up = True
        else:
            gives_up = fatal is not None
            if fatal is not None:
                self._fatal = [*self._fatal, fatal]
        if gives_up and not self.group._effectively_cancelled:
            self.group.cancel()

    def hear_late(self) -> None:
        """Let what was last to end a call be heard of in the loop's next turn, as on Starlette."""
        self._is_last_unheard = True
        self.loop.call_soon(self._hear)

    def _hear(self) -> None:
        self._is_last_unheard = False

    def has_finished(self) -> bool:
        """Whether nothing is to be waited for now that the response has been sent.

        If so, no more calls are waited for. Otherwise `finish` waits.
        """
        if self.group is not None or has_scope(self.host) or self.host._must_cancel:
            return False
        self._leave()
        return True

    async def finish(self) -> None:
        """Wait for the calls to end, now that the response has been sent.

        Raises:
            BaseExceptionGroup: of what ended a call and is no Exception.
            RuntimeError: the host is still in a scope that it has entered since.
        """
        with Entered(self.enter_group()):
            await self._end(None)

    def _leave(self) -> None:
        """Wait for no more calls; whoever is due may start another until the loop's next turn."""
        self.is_left = True
        if turns_due(self.loop, self.queues):
            self.loop.call_soon(self._be_over)
        else:
            self.is_over = True

    def _be_over(self) -> None:
        self.is_over = True

    async def give_up(self, exc: BaseException) -> None:
        """Cancel the calls and wait for them to end, for ``dispatch`` or the sending has failed.

        Raises:
            BaseExceptionGroup: of what was raised there and, being no Exception, by calls.
            BaseException: that ``dispatch`` was cancelled.
        """
        with Entered(self.enter_group()):
            self.group.cancel()
            await self._end(exc)

    async def _end(self, raised: BaseException | None) -> None:
        known = len(self._fatal) - self._is_last_unheard
        errors = [*self._fatal[:known]]  # what had ended a call before comes first
        if raised is not None and not isinstance(raised, CancelledError):
            errors.append(raised)
        try:
            if self.answer is not None:
                raised = await self._wait_for_ended(raised)
            if self.running:
                raised = await self._wait(raised)
                self.is_over = True
            elif self.host._must_cancel:
                with CancelScope(shield=True):
                    await sleep(0)  # who was cancelled himself is told here, and of nothing else
            errors += self._fatal[known:]
            if errors:
                raise BaseExceptionGroup("unhandled errors in a TaskGroup", errors) from None
            if raised is not None:
                raise raised
        finally:
            if raised is not None or errors:
                self.is_left = self.is_over = True
            else:
                self._leave()
            self._fatal, raised = (), None  # or a traceback would hold what holds it
            errors = []

    async def _wait_for_ended(self, raised: BaseException | None) -> BaseException | None:
        """Take the turns in which a call would end that has ended before; return as `_wait` does.

        On Starlette a call that has answered goes on until the response has been sent, or until it
        is cancelled in place of that, which takes three turns.
        """
        if self.running and not all(task.done() for task in self.running):
            return raised
        turns = turns_due(self.loop, self.queues) if raised is None else 3
        if turns:
            with CancelScope(shield=raised is not None):
                try:
                    await take_turns(turns)
                except CancelledError as exc:
                    raised = _weightier(raised, exc)
        return raised

    async def _wait(self, raised: BaseException | None) -> BaseException | None:
        """Wait for the calls to end, however often that is cancelled; return what is to be raised.

        That is what was raised before; a cancellation if nothing was, or if it is not by a scope.
        """
        while self.running:
            try:
                await self._until_ended()
            except CancelledError as exc:
                self.group.cancel()
                raised = _weightier(raised, exc)
                break
        if self.running:
            # Scopes have been told; to be cancelled by them again would bring nothing.
            with CancelScope(shield=True):
                while self.running:
                    try:
                        await self._until_ended()
                    except CancelledError as exc:
                        raised = _weightier(raised, exc)
        return raised

    async def _until_ended(self) -> None:
        """Wait until all calls have ended."""
        self._ended = self.loop.create_future()
        await self._ended


def _weightier(raised: BaseException | None, cancelled: CancelledError) -> BaseException:
    """Which of the two is raised: what was first, but for a cancellation that a real one follows.

    One is real that is not by a scope.
    """
    if raised is None or (isinstance(raised, CancelledError) and not is_by_scope(cancelled)):
        return cancelled
    return raised
