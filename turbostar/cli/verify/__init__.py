"""`turbostar verify`: does the accelerated application answer as the stock one does?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify.answers import Answer, Job
from turbostar.cli.verify.compare import Difference, compare
from turbostar.cli.verify.process import Mode, Replay, WorkerError, replay

__all__ = ["Answer", "Check", "Difference", "Progress", "VerifyResult", "WorkerError", "verify"]

# Called with the name of the run, how many requests it has answered, and of how many.
Progress = Callable[[str, int, int], None]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One request, its answer on stock and accelerated, and what came of comparing them.

    `volatile` names the parts that vary between two runs of stock itself.
    """

    request: RecordedRequest
    stock: Answer
    accelerated: Answer
    differences: tuple[Difference, ...]
    volatile: tuple[str, ...]
    notes: tuple[str, ...]


class VerifyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying an application has shown, request by request in their order.

    `lifespan` is a difference in how the application started and stopped, `notes` are remarks on
    the requests themselves.
    """

    target: str
    checks: list[Check]
    lifespan: Difference | None
    notes: list[str]

    @property
    def different(self) -> list[Check]:
        """The checks of answers that are not as on stock."""
        return [check for check in self.checks if check.differences]

    @property
    def volatile(self) -> list[Check]:
        """The checks of answers that vary on stock itself and otherwise agree."""
        return [check for check in self.checks if check.volatile and not check.differences]

    @property
    def identical(self) -> list[Check]:
        """The checks of answers that are as on stock in every part."""
        return [check for check in self.checks if not check.volatile and not check.differences]

    @property
    def same(self) -> bool:
        """Whether no difference was found."""
        return self.lifespan is None and not self.different

    @property
    def stock_answers(self) -> list[Answer]:
        """The answers of the first stock run, one for each request."""
        return [check.stock for check in self.checks]


def verify(
    target: str,
    requests: Sequence[RecordedRequest] | None = None,
    *,
    factory: bool = False,
    app_dir: str = ".",
    ignore_headers: Sequence[str] = (),
    limit: int | None = None,
    timeout: float = 10.0,
    progress: Progress | None = None,
) -> VerifyResult:
    """Run an application on stock Starlette and accelerated, and compare all its answers.

    Each run has a process of its own. Stock runs twice, and a third time if anything differs: what
    varies between its own runs is volatile and no difference.

    Args:
        target: The application, `module:attribute`.
        requests: What to request, in this order; derived from the routes if None.
        factory: The attribute is a callable that returns the application.
        app_dir: The directory that the module is imported from.
        ignore_headers: Names of response headers that are not compared.
        limit: How many of the requests are used, from the first; all if None.
        timeout: Seconds that one request may take.
        progress: Told about every answer.

    Raises:
        WorkerError: the application cannot be imported or started, or its process died.
    """
    job = Job(
        target=target,
        factory=factory,
        app_dir=app_dir,
        requests=None if requests is None else list(requests)[:limit],
        limit=limit,
        timeout=timeout,
        clock=int(time.time()),
        frames="",
    )
    stock = [_run(job, "stock", "stock", progress)]
    # The other runs get the same requests, derived or not.
    job = msgspec.structs.replace(job, requests=stock[0].requests)
    stock.append(_run(job, "stock", "stock again", progress))
    accelerated = _run(job, "accelerated", "accelerated", progress)
    ignored = frozenset(name.lower().encode("latin-1") for name in ignore_headers)
    result = _result(target, stock, accelerated, ignored)
    if not result.same:
        stock.append(_run(job, "stock", "stock once more", progress))
        result = _result(target, stock, accelerated, ignored)
    return result


def _run(job: Job, mode: Mode, name: str, progress: Progress | None) -> Replay:
    def on_answer(done: int, total: int) -> None:
        if progress is not None:
            progress(name, done, total)

    return replay(job, mode, on_answer)


def _result(
    target: str, stock: list[Replay], accelerated: Replay, ignored: frozenset[bytes]
) -> VerifyResult:
    checks = []
    for number, request in enumerate(accelerated.requests):
        answers = [run.answers[number] for run in stock]
        other = accelerated.answers[number]
        comparison = compare(answers, other, ignored)
        checks.append(
            Check(
                request=request,
                stock=answers[0],
                accelerated=other,
                differences=comparison.differences,
                volatile=comparison.volatile,
                notes=comparison.notes,
            )
        )
    lifespan = None
    if accelerated.lifespan not in {run.lifespan for run in stock}:
        lifespan = Difference("lifespan", stock[0].lifespan, accelerated.lifespan)
    return VerifyResult(target=target, checks=checks, lifespan=lifespan, notes=stock[0].notes)
