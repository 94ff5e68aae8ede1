"""What is shown while and after it runs: lines, tables, progress; in colour where rich is there."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from compat.runner import Follower

__all__ = ["PlainTerminal", "Tasks", "Terminal", "make_terminal"]

_PLAIN_SECONDS = 10.0


class Tasks(ABC):
    """The runs in progress."""

    @abstractmethod
    def add(self, label: str, total: int = 0) -> Follower:
        """Show a run called *label* and return where it reports to."""


class Terminal(ABC):
    """Standard output, with or without rich."""

    @abstractmethod
    def say(self, text: str, style: str = "") -> None:
        """Write one line."""

    @abstractmethod
    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
        """Write a table, its first *left* columns aligned to the left and the others right."""

    @abstractmethod
    def tasks(self) -> AbstractContextManager[Tasks]:
        """Show progress as long as the context lasts."""


class PlainTerminal(Terminal):
    """Lines of text; progress is a line every few seconds."""

    def say(self, text: str, style: str = "") -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in [columns, ["-" * width for width in widths], *rows]:
            cells = [
                cell.ljust(width) if number < left else cell.rjust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.say("  ".join(cells).rstrip())

    @contextmanager
    def tasks(self) -> Iterator[Tasks]:
        yield _PlainTasks(self)


class _PlainTasks(Tasks):
    def __init__(self, terminal: PlainTerminal) -> None:
        self.terminal = terminal

    def add(self, label: str, total: int = 0) -> Follower:
        return _PlainFollower(self.terminal, label)


class _PlainFollower:
    def __init__(self, terminal: PlainTerminal, label: str) -> None:
        self.terminal, self.label = terminal, label
        self.said, self.done = time.monotonic(), 0

    def update(self, done: int, total: int) -> None:
        now = time.monotonic()
        due = now - self.said >= _PLAIN_SECONDS or (total and done == total)
        if due and done != self.done:
            self.said, self.done = now, done
            self.terminal.say(f"{self.label}: {done} of {total or '?'}")


def make_terminal(colour: bool) -> Terminal:
    """Return a terminal on rich if it is installed and *colour* is wanted, else a plain one."""
    if not colour or os.environ.get("NO_COLOR") or importlib.util.find_spec("rich") is None:
        return PlainTerminal()
    from rich.console import Console

    if not Console().is_terminal:
        return PlainTerminal()
    return _rich_terminal()


def _rich_terminal() -> Terminal:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn as Elapsed,
    )
    from rich.table import Table

    console = Console(highlight=False, markup=False)

    class RichTasks(Tasks):
        def __init__(self, progress: Progress) -> None:
            self.progress = progress
            self.lock = threading.Lock()

        def add(self, label: str, total: int = 0) -> Follower:
            progress = self.progress
            with self.lock:
                task = progress.add_task(label, total=total or None)

            class RichFollower:
                def update(self, done: int, total: int) -> None:
                    progress.update(task, completed=done, total=total or None)

            return RichFollower()

    class RichTerminal(Terminal):
        def say(self, text: str, style: str = "") -> None:
            console.print(text, style=style or None, soft_wrap=True)

        def table(
            self, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1
        ) -> None:
            table = Table(box=SIMPLE_HEAD)
            for number, column in enumerate(columns):
                table.add_column(
                    column, justify="left" if number < left else "right", overflow="fold"
                )
            for row in rows:
                table.add_row(*row)
            console.print(table)

        @contextmanager
        def tasks(self) -> Iterator[Tasks]:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, Elapsed(), console=console) as progress:
                yield RichTasks(progress)

    return RichTerminal()
