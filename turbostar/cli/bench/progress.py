"""The progress bar: what runs now, how far it is, how long it still takes."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from turbostar.cli.output import animates

__all__ = ["ProgressBar"]


class ProgressBar:
    """Shows the benchmark's progress on a console while it is entered."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=4,  # drawing takes CPU time too
            disable=not animates(console),
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def expect(self, seconds: float) -> None:
        """What follows takes about that long in all."""
        if not animates(self._console):
            self._console.print(f"measuring, which takes about {seconds:.0f} s")
        self._progress.update(self._task, total=seconds, completed=0)

    def stage(self, text: str) -> None:
        """This begins now."""
        self._progress.update(self._task, description=text)

    def advance(self, seconds: float) -> None:
        """That much more is done."""
        self._progress.advance(self._task, seconds)
