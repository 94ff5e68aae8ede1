"""The command `turbostar verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from turbostar.cli.errors import UserError
from turbostar.cli.options import (
    App,
    AppDir,
    Factory,
    IgnoreHeader,
    Requests,
    UnsafeMethods,
)
from turbostar.cli.output import (
    JsonFile,
    animates,
    check_writable,
    progress_console,
    screen,
    write_file,
)
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.request_file import read_requests
from turbostar.cli.signals import ended_by_signals
from turbostar.cli.unsafe import unsafe_note
from turbostar.cli.verify import WorkerError, report, verify as run_verify

__all__ = ["verify"]

_HOW_OFTEN = "three times each (four if an answer differs)"
_SHOWN_FAILED = 5


FailOnError = Annotated[
    bool,
    typer.Option(
        "--fail-on-error",
        help="Exit with 1 if any answer is a 5xx or does not end in time, or the shutdown fails.",
    ),
]
FreezeClock = Annotated[
    bool,
    typer.Option(
        "--freeze-clock", help="The same time in all runs: datetime.now() and so on, too."
    ),
]
Seed = Annotated[
    bool, typer.Option("--seed/--no-seed", help="The same random numbers and UUIDs in all runs.")
]
Limit = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Use only the first N requests.")
]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.01, help="Time that one request may take.")
]


def verify(
    app: App,
    requests: Requests = None,
    unsafe_methods: UnsafeMethods = False,
    ignore_header: IgnoreHeader = None,
    fail_on_error: FailOnError = False,
    freeze_clock: FreezeClock = False,
    seed: Seed = True,
    factory: Factory = False,
    app_dir: AppDir = ".",
    json: JsonFile = None,
    limit: Limit = None,
    timeout: Timeout = 10.0,
) -> int:
    """Compare every answer of an application: accelerated against stock Starlette.

    The application runs in three processes, twice on stock and once accelerated; what varies
    between the two stock runs is no difference.

    Without --requests, every route is requested with GET, HEAD and OPTIONS, if it has them, and
    WebSockets are opened and closed. Nothing else is sent unless --unsafe-methods asks for it:
    have the application use test data then. A request file is sent as written, three times over.

    Exit status: 0 all answers are the same, 1 some differ, 2 the application or an option is
    unusable, or the answers show nothing (all failed, were refused or came from routing alone).
    """
    console = screen(json, soft_wrap=True, markup=False)
    check_writable(json, "--json")
    recorded = None if requests is None else read_requests(requests)
    if recorded is not None:
        _announce(progress_console(), recorded[:limit])
    try:
        with ended_by_signals(), _Bar() as bar:
            result = run_verify(
                app,
                recorded,
                factory=factory,
                app_dir=app_dir,
                ignore_headers=ignore_header or (),
                limit=limit,
                timeout=timeout,
                unsafe_methods=unsafe_methods,
                seed=seed,
                freeze_clock=freeze_clock,
                progress=bar.update,
                announce=bar.announce,
            )
    except WorkerError as exc:
        _show_log(exc.log)
        raise
    report.show(console, result)
    if json is not None:
        write_file(json, report.as_json(result).encode(), "--json")
    if result.proves_nothing is not None:
        raise UserError(
            f"{app}: nothing is shown: {result.proves_nothing}; give the application what it needs "
            "(settings, data, a login), or requests that it answers to --requests"
        )
    if fail_on_error and (result.failed or result.shutdown):
        names = [check.request.name for check in result.failed]
        names += ["the shutdown"] if result.shutdown else []
        names[_SHOWN_FAILED:] = ["…"] if len(names) > _SHOWN_FAILED else []
        console.print(f"--fail-on-error: failed on stock: {', '.join(names)}", style="red")
        return 1
    return 0 if result.same else 1


def _announce(console: Console, requests: Sequence[RecordedRequest], kind: str = "") -> None:
    """Say first, on stderr, what is sent that may change something."""
    note = unsafe_note(requests, _HOW_OFTEN, kind)
    if note is not None:
        console.print(Text(note), soft_wrap=True)


def _show_log(log: str) -> None:
    if log.strip():
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        stderr.print(Text("the application wrote:", style="bold"))
        stderr.print(Text(log, style="dim"))


class _Bar:
    """A progress bar on stderr, one line for each run; none where stderr is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=progress_console(),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bar:
        if animates(self._progress.console):
            self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if animates(self._progress.console):
            self._progress.stop()

    def announce(self, requests: Sequence[RecordedRequest]) -> None:
        """Say above the bar what is sent of derived requests."""
        _announce(self._progress.console, requests, "derived ")

    def update(self, run: str, done: int, total: int) -> None:
        if run not in self._tasks:
            self._tasks[run] = self._progress.add_task(run, total=total)
        self._progress.update(self._tasks[run], completed=done)
