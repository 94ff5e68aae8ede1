"""What the sub-commands write besides what they show: files, and JSON on standard output."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from turbostar.cli.errors import UserError
from turbostar.cli.general import settings

__all__ = [
    "STDOUT",
    "JsonFile",
    "animates",
    "check_writable",
    "progress_console",
    "screen",
    "write_file",
    "write_json",
]

STDOUT = "-"

JsonFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write the result here as JSON; - is standard output."),
]


def screen(json: str | None, **options: Any) -> Console:
    """Where to show a result: on standard output, or on stderr if the JSON goes there.

    Args:
        json: the file for the JSON.
        options: of rich's Console.
    """
    return Console(stderr=json == STDOUT, highlight=False, quiet=settings.quiet, **options)


def progress_console() -> Console:
    """Where to show progress: on stderr, unless nothing but errors is to be shown."""
    return Console(stderr=True, highlight=False, quiet=settings.quiet)


def animates(console: Console) -> bool:
    """Whether progress can be drawn there: colours may be wanted in a pipe, a moving bar is not."""
    return console.is_terminal and console.file.isatty() and not console.quiet


def check_writable(path: str | os.PathLike[str] | None, option: str) -> None:
    """Fail before the work rather than after it.

    Args:
        path: a file to write; None or `-` is none.
        option: with which it was given.

    Raises:
        UserError: it is a directory, in none, or closed to this user.
    """
    if path is None or path == STDOUT:
        return
    file = pathlib.Path(path)
    place = file if file.exists() else file.absolute().parent
    cause = None
    if file.is_dir():
        cause = "is a directory"
    elif not place.exists():
        cause = f"there is no directory {place}"
    elif not os.access(place, os.W_OK):
        cause = "permission denied"
    if cause is not None:
        raise UserError(f"{path}: {cause}; give a writable file to {option}")


def write_file(path: str | os.PathLike[str], data: bytes, option: str) -> None:
    """Write a file, or to standard output if its path is `-`.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        if path == STDOUT:
            stream = settings.stdout or sys.stdout
            stream.write(data.decode())
            stream.flush()
        else:
            pathlib.Path(path).write_bytes(data)
    except OSError as exc:
        cause = exc.strerror or exc
        place = "standard output" if path == STDOUT else path
        raise UserError(f"{place}: {cause}; give a writable file to {option}") from exc


def write_json(path: str, data: Any) -> None:
    """Write data as indented JSON to a file or, if it is `-`, to standard output.

    Raises:
        UserError: the file cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(data), indent=2)
    write_file(path, text + b"\n", "--json")
