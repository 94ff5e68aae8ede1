"""What all sub-commands have in common: -v, -q and --color, and where the documentation is."""

from __future__ import annotations

import contextlib
import enum
import importlib.metadata
import logging
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any, TextIO

import typer

__all__ = [
    "Color",
    "Settings",
    "apply",
    "documentation",
    "general_options",
    "reset",
    "settings",
    "silenced",
]


class Color(enum.Enum):
    """When to write in colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Settings:
    """What was chosen for this run of the command."""

    def __init__(self) -> None:
        self.verbose = False
        self.quiet = False
        self.color: Color | None = None
        self.stdout: TextIO | None = None
        """Standard output, while `silenced` keeps it from being written to."""


settings = Settings()


def apply(*, verbose: bool = False, quiet: bool = False, color: Color | str | None = None) -> None:
    """Put general options into force. What is false or None leaves things as they are."""
    settings.verbose |= verbose
    settings.quiet |= quiet
    if verbose:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("turbostar").setLevel(logging.DEBUG)
    chosen = None if color is None else Color(color)
    settings.color = chosen or settings.color
    # What rich and others heed, in child processes too.
    if chosen is Color.ALWAYS:
        os.environ.pop("NO_COLOR", None)
        os.environ["FORCE_COLOR"] = "1"
    elif chosen is Color.NEVER:
        os.environ.pop("FORCE_COLOR", None)
        os.environ["NO_COLOR"] = "1"


def reset() -> None:
    """Forget what an earlier run in this process has chosen."""
    settings.verbose = settings.quiet = False
    settings.color = None


def general_options() -> list[Any]:
    """The options, as typer's parameters; each takes effect by itself when it is parsed."""
    app = typer.Typer(add_completion=False)
    app.command()(_options)
    return list(typer.main.get_command(app).params)


def _verbose(given: bool) -> None:
    apply(verbose=given)


def _quiet(given: bool) -> None:
    apply(quiet=given)


def _color(given: Color | None) -> None:
    apply(color=given)


def _options(
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Show the log, and tracebacks.",
            callback=_verbose,
            expose_value=False,
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Show nothing but errors.",
            callback=_quiet,
            expose_value=False,
        ),
    ] = False,
    color: Annotated[
        Color | None,
        typer.Option(
            "--color",
            metavar="WHEN",
            help="Use colours: auto, always, never.",
            callback=_color,
            expose_value=False,
        ),
    ] = None,
) -> None:
    """Stands for a command, to have its options made."""


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """With --quiet, show nothing on standard output; `output.write_file` still writes there."""
    if not settings.quiet:
        yield
        return
    settings.stdout = sys.stdout
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as nothing,
            contextlib.redirect_stdout(nothing),
        ):
            yield
    finally:
        settings.stdout = None


def documentation() -> str:
    """Where the documentation is: an address, if the package's metadata give one."""
    try:
        urls = importlib.metadata.metadata("turbostar").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        urls = []
    for entry in urls:
        label, _, address = str(entry).partition(",")
        if label.strip().lower() == "documentation":
            return address.strip()
    return "docs/ in the source distribution"
