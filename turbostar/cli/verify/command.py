"""The command `turbostar verify`."""

from __future__ import annotations

import pathlib
import signal
import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from turbostar.cli.errors import UserError
from turbostar.cli.options import App, AppDir, Factory
from turbostar.cli.recorded import read_requests
from turbostar.cli.verify import VerifyResult, WorkerError, report, verify as run_verify

__all__ = ["verify"]


def verify(
    app: App,
    requests: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="FILE", help="Recorded requests, JSON Lines. [default: derived]"),
    ] = None,
    ignore_header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Do not compare this response header (repeatable)."),
    ] = None,
    factory: Factory = False,
    app_dir: AppDir = ".",
    json: Annotated[
        pathlib.Path | None, typer.Option(metavar="FILE", help="Write the result here as JSON.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Use only the first N requests.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.01, help="Time that one request may take.")
    ] = 10.0,
) -> int:
    """Compare every answer of an application: accelerated against stock Starlette.

    The application runs in three processes, twice on stock and once accelerated; what varies
    between the two stock runs is no difference. Without --requests, every route is requested with
    each of its methods, POST and DELETE too: have the application use test data.

    Exit status: 0 all answers are the same, 1 some differ, 2 the application or an option is
    unusable.
    """
    signal.signal(signal.SIGTERM, _terminate)  # so that no worker outlives this process
    console = Console(soft_wrap=True, highlight=False, markup=False)
    recorded = None if requests is None else read_requests(requests)
    try:
        with _Bar() as bar:
            result = run_verify(
                app,
                recorded,
                factory=factory,
                app_dir=app_dir,
                ignore_headers=ignore_header or (),
                limit=limit,
                timeout=timeout,
                progress=bar.update,
            )
    except WorkerError as exc:
        _show_log(exc.log)
        raise
    report.show(console, result)
    if json is not None:
        _write(json, result)
    return 0 if result.same else 1


def _terminate(signum: int, _frame: object) -> NoReturn:
    sys.exit(128 + signum)


def _show_log(log: str) -> None:
    if log.strip():
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        stderr.print(Text("the application wrote:", style="bold"))
        stderr.print(Text(log, style="dim"))


def _write(path: pathlib.Path, result: VerifyResult) -> None:
    try:
        path.write_text(report.as_json(result), encoding="utf-8")
    except OSError as exc:
        cause = exc.strerror or exc
        raise UserError(f"{path}: {cause}; give a writable file to --json") from exc


class _Bar:
    """A progress bar on stderr, one line for each run; none where stderr is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bar:
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._progress.console.is_terminal:
            self._progress.stop()

    def update(self, run: str, done: int, total: int) -> None:
        if run not in self._tasks:
            self._tasks[run] = self._progress.add_task(run, total=total)
        self._progress.update(self._tasks[run], completed=done)
