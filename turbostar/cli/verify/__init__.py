"""`turbostar verify`: does the accelerated application answer as the stock one does?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify.answers import Answer, Job
from turbostar.cli.verify.compare import Difference, compare
from turbostar.cli.verify.lifespan import shutdown_failure
from turbostar.cli.verify.process import Mode, Replay, WorkerError, replay
from turbostar.cli.verify.steady import check_freezing
from turbostar.cli.verify.verdict import all_failed, failed, proves_nothing

__all__ = [
    "Announce",
    "Answer",
    "Check",
    "Difference",
    "Progress",
    "VerifyResult",
    "WorkerError",
    "verify",
]

# Called with the name of the run, how many requests it has answered, and of how many.
Progress = Callable[[str, int, int], None]
Announce = Callable[[Sequence[RecordedRequest]], None]


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

    `lifespan` is a difference in how the application started and stopped, `shutdown` says how that
    failed on stock, if it did, `notes` are remarks on
    the requests themselves, `runs` is how often each request was sent. `derived` says that the
    requests come from the routes, `frozen` that the clock was frozen.
    """

    target: str
    checks: list[Check]
    lifespan: Difference | None
    shutdown: str | None
    notes: list[str]
    runs: int
    derived: bool
    frozen: bool

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
    def failed(self) -> list[Check]:
        """The checks of requests that the application failed to answer on stock: 5xx or no end."""
        return [check for check in self.checks if failed(check.stock)]

    @property
    def all_failed(self) -> str | None:
        """How the application failed, if it answered nothing; None if it answered something."""
        return all_failed(self.checks, derived=self.derived) if self.same else None

    @property
    def proves_nothing(self) -> str | None:
        """Why the answers, though they do not differ, do not show anything; None if they do."""
        return proves_nothing(self.checks, derived=self.derived) if self.same else None

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
    unsafe_methods: bool = False,
    seed: bool = True,
    freeze_clock: bool = False,
    progress: Progress | None = None,
    announce: Announce | None = None,
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
        unsafe_methods: Derive requests with POST, PUT, PATCH and DELETE, too.
        seed: Give the application the same random numbers in each run.
        freeze_clock: Give it the same time wherever Python asks, not only by `time.time`.
        progress: Told about every answer.
        announce: Told the derived requests before the first of them is sent.

    Raises:
        WorkerError: the application cannot be imported or started, its process died, or a value
            that a request uses is in no answer of stock.
        UserError: the library that freezes the clock is missing.
    """
    if freeze_clock:
        check_freezing()
    job = Job(
        target=target,
        factory=factory,
        app_dir=app_dir,
        requests=None if requests is None else list(requests)[:limit],
        limit=limit,
        timeout=timeout,
        unsafe_methods=unsafe_methods,
        seed=seed,
        freeze_clock=freeze_clock,
        clock=int(time.time()),
        frames="",
    )
    ignored = frozenset(name.lower().encode("latin-1") for name in ignore_headers)
    return _compare_runs(job, ignored, progress, announce)


def _compare_runs(
    job: Job, ignored: frozenset[bytes], progress: Progress | None, announce: Announce | None
) -> VerifyResult:
    derived = job.requests is None
    stock = [_run(job, "stock", "stock", progress, announce if derived else None)]
    # The other runs get the same requests, derived or not.
    job = msgspec.structs.replace(job, requests=stock[0].requests)
    stock.append(_run(job, "stock", "stock again", progress))
    accelerated = _run(job, "accelerated", "accelerated", progress)
    result = _result(job, stock, accelerated, ignored, derived)
    if not result.same:
        stock.append(_run(job, "stock", "stock once more", progress))
        result = _result(job, stock, accelerated, ignored, derived)
    return result


def _run(
    job: Job, mode: Mode, name: str, progress: Progress | None, announce: Announce | None = None
) -> Replay:
    def on_answer(done: int, total: int) -> None:
        if progress is not None:
            progress(name, done, total)

    return replay(job, mode, on_answer, announce)


def _result(
    job: Job,
    stock: list[Replay],
    accelerated: Replay,
    ignored: frozenset[bytes],
    derived: bool,
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
    return VerifyResult(
        target=job.target,
        checks=checks,
        lifespan=lifespan,
        shutdown=shutdown_failure(stock[0].lifespan),
        notes=stock[0].notes,
        runs=len(stock) + 1,
        derived=derived,
        frozen=job.freeze_clock,
    )
